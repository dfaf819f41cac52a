/* What all harnesses share: each operation runs for SECONDS on the clock of the machine, and a line
 * "name<TAB>operations per second" comes out. The driver (package main beside) reads the lines. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MESSAGES 64 /* distinct messages each operation goes through in turn */

static inline double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline void need(int ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "%s: does not work\n", what);
		exit(1);
	}
}

/* random_bytes is xoshiro-like and quick on purpose: a peer must not lose time to its randomness.
 * What it makes protects nothing. */
static inline void random_bytes(void *ctx, size_t n, uint8_t *out)
{
	static uint64_t s = 0x9e3779b97f4a7c15u;
	(void)ctx;
	while (n > 0) {
		uint64_t z = s += 0x9e3779b97f4a7c15u;
		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		z ^= z >> 31;
		size_t k = n < sizeof z ? n : sizeof z;
		memcpy(out, &z, k);
		out += k;
		n -= k;
	}
}

/* measure runs op(0), op(1), … and prints how many of them go into a second. */
static inline void measure(const char *name, double seconds, void (*op)(unsigned i))
{
	unsigned long done = 0;
	unsigned batch = 1;
	op(0); /* tables, caches, pages */
	double begin = now(), end = begin;
	while (end - begin < seconds) {
		for (unsigned i = 0; i < batch; i++)
			op((unsigned)(done++ % MESSAGES));
		end = now();
		if (end - begin < seconds / 64)
			batch *= 2;
	}
	printf("%s\t%.9g\n", name, (double)done / (end - begin));
}

/* wanted reports whether the name is among the arguments; with none, everything is. */
static inline int wanted(int argc, char **argv, const char *name)
{
	for (int i = 2; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return 1;
	return argc <= 2;
}

static inline int asked_version(int argc, char **argv) { return argc == 2 && strcmp(argv[1], "version") == 0; }

static inline double seconds_of(int argc, char **argv)
{
	double s = argc > 1 ? atof(argv[1]) : 1;
	return s > 0 ? s : 1;
}

#endif
