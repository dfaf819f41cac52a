package agent

import (
	"crypto"
	"io"
	"runtime"
	"strings"
	"testing"
)

// heldSigner signs when it is let.
type heldSigner struct {
	crypto.Signer
	asked, let chan struct{}
}

func (h heldSigner) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	close(h.asked)
	<-h.let
	return h.Signer.Sign(random, digest, o)
}

// TestEndedWhileSigned: a document whose operation ended while it was signed goes to nobody, and its copy is gone at once.
func TestEndedWhileSigned(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("files that are open are counted in /proc")
	}
	b := bring(t, largeOn)
	b.key("GOST512_a.p12", b.authority.Individual())
	d := b.largePage()
	id, ended, h := d.begin(`{"numberOfDocuments":1,"base64":false,"encapsulateContent":true}`, "")
	b.agent.large.mu.Lock()
	op := b.agent.large.ops[strings.TrimPrefix(id, "/")]
	b.agent.large.mu.Unlock()
	op.signer.mu.Lock()
	slow := heldSigner{op.signer.key.Signer, make(chan struct{}), make(chan struct{})}
	op.signer.key.Signer = slow
	op.signer.mu.Unlock()
	got := make(chan int, 1)
	go func() {
		status, _, _ := d.do("POST", id, strings.NewReader("a document"))
		got <- status
	}()
	<-slow.asked
	h.cancel()
	<-op.ctx.Done()
	close(slow.let)
	if status := <-got; status != 401 {
		t.Errorf("%d", status)
	}
	if n := b.spools(); n != 0 {
		t.Errorf("%d copies are left", n)
	}
	<-ended
}
