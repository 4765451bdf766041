/* CPU time that an operation takes besides its accesses. */
#ifndef SPIN_H
#define SPIN_H

/* Once, before the workloads start. */
void calibrate_spin(void);
void spin_us(double us);

#endif
