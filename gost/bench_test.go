package gost_test

import (
	"crypto/rand"
	"testing"

	"senim/gost"
)

// benchMessages is how many distinct digests a benchmark goes through in turn: one digest again and
// again would teach the branch predictor, and a digest of zeros stands for e = 1.
const benchMessages = 64

type benchMessage struct{ digest, sig []byte }

func newBench(b *testing.B, c *gost.Curve) (*gost.PrivateKey, []benchMessage) {
	key, err := gost.GenerateKey(c, nil)
	if err != nil {
		b.Fatal(err)
	}
	messages := make([]benchMessage, benchMessages)
	for i := range messages {
		digest := make([]byte, c.Size())
		rand.Read(digest)
		sig, err := key.Sign(nil, digest, nil)
		if err != nil {
			b.Fatal(err)
		}
		messages[i] = benchMessage{digest, sig}
	}
	return key, messages
}

func benchmarkSign(b *testing.B, c *gost.Curve) {
	key, messages := newBench(b, c)
	b.ReportAllocs()
	i := 0
	sig := make([]byte, 0, 2*c.Size())
	for b.Loop() {
		if _, err := key.AppendSign(sig, nil, messages[i%benchMessages].digest); err != nil {
			b.Fatal(err)
		}
		i++
	}
	perSecond(b)
}

func benchmarkVerify(b *testing.B, c *gost.Curve, prepare bool) {
	key, messages := newBench(b, c)
	public := key.PublicKey()
	if prepare {
		public = public.Prepare()
	}
	if public.Verify(messages[0].digest, messages[1].sig) {
		b.Fatal("verifies a signature over another digest")
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if m := &messages[i%benchMessages]; !public.Verify(m.digest, m.sig) {
			b.Fatal("does not verify")
		}
		i++
	}
	perSecond(b)
}

func benchmarkKeygen(b *testing.B, c *gost.Curve) {
	b.ReportAllocs()
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
