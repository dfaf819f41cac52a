package gost_test

import (
	"testing"

	"senim/gost"
)

func benchmarkSign(b *testing.B, c *gost.Curve) {
	key, err := gost.GenerateKey(c, nil)
	if err != nil {
		b.Fatal(err)
	}
	digest := make([]byte, c.Size())
	for b.Loop() {
		if _, err := key.Sign(nil, digest, nil); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b)
}

func benchmarkVerify(b *testing.B, c *gost.Curve, prepare bool) {
	key, err := gost.GenerateKey(c, nil)
	if err != nil {
		b.Fatal(err)
	}
	digest := make([]byte, c.Size())
	sig, err := key.Sign(nil, digest, nil)
	if err != nil {
		b.Fatal(err)
	}
	public := key.PublicKey()
	if prepare {
		public = public.Prepare()
	}
	for b.Loop() {
		if !public.Verify(digest, sig) {
			b.Fatal("does not verify")
		}
	}
	perSecond(b)
}

func benchmarkKeygen(b *testing.B, c *gost.Curve) {
	for b.Loop() {
		if _, err := gost.GenerateKey(c, nil); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b)
}

func perSecond(b *testing.B) { b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s") }

func BenchmarkSign512(b *testing.B)           { benchmarkSign(b, gost.TC26_512A()) }
func BenchmarkVerify512(b *testing.B)         { benchmarkVerify(b, gost.TC26_512A(), false) }
func BenchmarkVerify512Prepared(b *testing.B) { benchmarkVerify(b, gost.TC26_512A(), true) }
func BenchmarkKeygen512(b *testing.B)         { benchmarkKeygen(b, gost.TC26_512A()) }
func BenchmarkSign256(b *testing.B)           { benchmarkSign(b, gost.TC26_256A()) }
func BenchmarkVerify256(b *testing.B)         { benchmarkVerify(b, gost.TC26_256A(), false) }
func BenchmarkVerify256Prepared(b *testing.B) { benchmarkVerify(b, gost.TC26_256A(), true) }
func BenchmarkKeygen256(b *testing.B)         { benchmarkKeygen(b, gost.TC26_256A()) }
