#include "spin.h"

#include <stdint.h>
#include <time.h>

enum { CALIBRATION_ROUNDS = 2000000 };

static double rounds_per_us = 100;

static void spin(uint64_t rounds)
{
	for (volatile uint64_t i = 0; i < rounds; i++)
		;
}

static double cpu_us(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

void calibrate_spin(void)
{
	double before_us = cpu_us(), took_us;

	spin(CALIBRATION_ROUNDS);
	took_us = cpu_us() - before_us;
	if (took_us > 0)
		rounds_per_us = CALIBRATION_ROUNDS / took_us;
}

void spin_us(double us)
{
	spin((uint64_t)(us * rounds_per_us));
}
