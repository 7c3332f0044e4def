/* Memory protection: what confines the confined part. */
#ifndef GATE_PROTECTION_H
#define GATE_PROTECTION_H

/* Programs and enables the memory protection unit. From here on memory is never executed, flash never written. */
void protection_enable(void);

#endif
