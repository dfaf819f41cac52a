// Package asm stands for the programs that write senim's assembly for amd64, one folder for each package it is for:
//
//	cd tools/asm && go run ./field     writes gost/internal/field
//	cd tools/asm && go run ./eight     writes eight lanes of gost/internal/group
//	cd tools/asm && go run ./streebog  writes gost/streebog
//
// It is a module of its own, so that the generator's dependencies never move those of senim.
package asm
