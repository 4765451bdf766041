/* Reproducible draws: splitmix64, one stream for each thread and each file. */
#ifndef RANDOM_H
#define RANDOM_H

#include <math.h>
#include <stdint.h>

static inline uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* In [0, 1) */
static inline double uniform(uint64_t *state)
{
	return (double)(draw(state) >> 11) * 0x1p-53;
}

static inline uint64_t below(uint64_t *state, uint64_t limit)
{
	return (uint64_t)(((unsigned __int128)draw(state) * limit) >> 64);
}

static inline double exponential(uint64_t *state, double mean)
{
	return -mean * log(1.0 - uniform(state));
}

/* A stream of its own for each (seed, process, draw). */
static inline uint64_t stream_of(uint64_t seed, uint64_t process, uint64_t stream)
{
	uint64_t state = seed * 0x9e3779b97f4a7c15 ^ process * 0xd1342543de82ef95 ^ stream * 0xaf251af3b0f025b5;

	draw(&state);
	return draw(&state);
}

#endif
