//go:build race

package gost_test

// underRace: the race detector makes the pools of the standard library forget at random, and so allocates.
const underRace = true
