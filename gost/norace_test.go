//go:build !race

package gost_test

const underRace = false
