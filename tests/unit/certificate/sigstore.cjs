// Verifies a bundle with sigstore-js, unmodified: `node sigstore.cjs MODULES BUNDLE PUBLIC_PEM`.
// Prints VERIFIED, or the code of the error.
"use strict";
const crypto = require("crypto");
const fs = require("fs");
const path = require("path");

const [modules, bundleFile, keyFile] = process.argv.slice(2);
const load = (name) => require(path.join(modules, "@sigstore", name));
const { bundleFromJSON } = load("bundle");
const { Verifier, toSignedEntity, toTrustMaterial } = load("verify");
const { TrustedRoot } = load("protobuf-specs");

const root = TrustedRoot.fromJSON({
  mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
  tlogs: [],
  certificateAuthorities: [],
  ctlogs: [],
  timestampAuthorities: [],
});
const publicKey = crypto.createPublicKey(fs.readFileSync(keyFile));
const material = toTrustMaterial(root, () => ({ publicKey, validFor: () => true }));
const verifier = new Verifier(material, { tlogThreshold: 0, ctlogThreshold: 0, tsaThreshold: 0, timestampThreshold: 0 });
try {
  verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(fs.readFileSync(bundleFile, "utf8")))));
  console.log("VERIFIED");
} catch (error) {
  console.log(error.code || error.name);
}
