package gost_test

import (
	"crypto/rand"
	"slices"
	"testing"

	"senim/gost"
)

// BenchmarkVerify512Batch verifies signatures by different keys over different digests; op/s counts signatures.
func BenchmarkVerify512Batch(b *testing.B) {
	c := gost.TC26_512A()
	batch := make([]gost.Signature, 64)
	for i := range batch {
		key, err := gost.GenerateKey(c, nil)
		if err != nil {
			b.Fatal(err)
		}
		digest := make([]byte, c.Size())
		rand.Read(digest)
		sig, err := key.Sign(nil, digest, nil)
		if err != nil {
			b.Fatal(err)
		}
		batch[i] = gost.Signature{Key: key.PublicKey(), Digest: digest, Bytes: sig}
	}
	b.ReportAllocs()
	for b.Loop() {
		if slices.Contains(gost.VerifyBatch(batch), false) {
			b.Fatal("does not verify")
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(batch))/b.Elapsed().Seconds(), "op/s")
}
