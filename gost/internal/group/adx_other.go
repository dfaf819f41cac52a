//go:build !amd64 || purego

package group

import "senim/gost/internal/field"

// useADX is false: there is no assembly here, and nothing calls what stands for it.
const useADX = false

func addADX512(_, _ *Point512, _ *affine512)                     {}
func addADX256(_, _ *Point256, _ *affine256)                     {}
func doubleADX512(_, _ *Point512)                                {}
func doubleADX256(_, _ *Point256, _ *field.Element256)           {}
func lookupAVX512(_ *affine512, _ *[entries]affine512, _ uint64) {}
func lookupAVX256(_ *affine256, _ *[entries]affine256, _ uint64) {}
