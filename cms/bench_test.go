package cms

import (
	"crypto/rand"
	"testing"

	"senim/internal/pkitest"
	"senim/pki"
)

// BenchmarkVerifyMessage is everything that accepting a message takes, revocation aside: parse an
// attached message of 1 KiB, verify its signature, and build the path of the signer's certificate to
// the authority that issued it. Eight people sign, so that only the authority's key repeats.
func BenchmarkVerifyMessage(b *testing.B) {
	a := pkitest.New(b)
	pool := pki.NewPool()
	pool.AddRoot(a.CA)
	messages := make([][]byte, 8)
	for i := range messages {
		content := make([]byte, 1024)
		rand.Read(content)
		messages[i] = message(b, a.Issue(pkitest.Spec{}), string(content))
	}
	if accept(b, pkitest.New(b).Pool(), messages[0]) == nil {
		b.Fatal("a stranger's authority is trusted")
	}
	for range 2 { // sixteen messages: the authority's key has its table
		for _, m := range messages {
			if err := accept(b, pool, m); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := accept(b, pool, messages[i%len(messages)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
}

func accept(t testing.TB, pool *pki.Pool, der []byte) error {
	verdicts, err := parsed(t, der).Verify(nil)
	if err != nil {
		return err
	}
	if err := verdicts[0].Err; err != nil {
		return err
	}
	_, err = pool.Chain(verdicts[0].Certificate, signedAt)
	return err
}
