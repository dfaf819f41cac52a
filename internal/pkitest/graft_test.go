package pkitest_test

import (
	"bytes"
	"testing"

	"senim/internal/ber"
	"senim/internal/pkitest"
)

func TestGraft(t *testing.T) {
	der := pkitest.New(t).Individual().Certificate.Raw
	strange := []byte{4, 1, 0xaa}
	seen := 0
	for ; seen < 1000; seen++ {
		got := pkitest.Graft(der, seen, strange)
		if bytes.Equal(got, der) {
			break
		}
		if err := ber.Check(got); err != nil {
			t.Fatalf("element %d: %v", seen, err)
		}
	}
	if seen < 100 || seen == 1000 || !bytes.Equal(pkitest.Graft(der, 0, strange), strange) {
		t.Errorf("%d elements", seen)
	}
}
