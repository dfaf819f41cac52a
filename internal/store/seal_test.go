package store

import (
	"bytes"
	"testing"
)

func TestSeal(t *testing.T) {
	s := &Store{key: bytes.Repeat([]byte{7}, 32)}
	plain := []byte("b@example.kz")
	sealed, err := s.seal("outbox/1", plain)
	if err != nil || bytes.Contains(sealed, plain) {
		t.Fatalf("%x %v", sealed, err)
	}
	if got, err := s.open("outbox/1", sealed); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%q %v", got, err)
	}
	if _, err := s.open("outbox/2", sealed); err == nil {
		t.Error("opened in another place")
	}
	if _, err := (&Store{key: bytes.Repeat([]byte{8}, 32)}).open("outbox/1", sealed); err == nil {
		t.Error("opened with another key")
	}
	if again, _ := s.seal("outbox/1", plain); bytes.Equal(again, sealed) {
		t.Error("sealed twice alike")
	}
	once := s.Hash("x")
	if again := s.Hash("x"); again != once || once == s.Hash("y") {
		t.Error("hash")
	}
}
