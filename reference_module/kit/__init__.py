"""What a vendor's project starts from, beside the files of the reference module: compiled by tools/compile_kit.py."""
