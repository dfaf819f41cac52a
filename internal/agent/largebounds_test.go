package agent

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// TestLargeConnectionsAreBounded: who opens connections to the door for large documents and says nothing gets so many and
// no more, and keeps them not for long; the page gets in as soon as one is free.
func TestLargeConnectionsAreBounded(t *testing.T) {
	b := bring(t, largeOn)
	var all []net.Conn
	closeAll := func() {
		for _, c := range all {
			_ = c.Close()
		}
	}
	defer closeAll()
	for range maxLargeOpen + 50 {
		c, err := net.Dial("tcp", b.agent.largeAddr())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	held := 0
	_, _ = all[len(all)-1].Read(make([]byte, 1)) // the last one is closed when those before it were taken
	for _, c := range all {
		if err := c.SetReadDeadline(time.Now().Add(5 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			held++
		}
	}
	if held != maxLargeOpen {
		t.Errorf("%d connections are held, not %d", held, maxLargeOpen)
	}
	_ = all[0].Close()
	becomes(t, func() bool {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: trusting(b), DisableKeepAlives: true}}
		answer, err := client.Get("https://" + b.agent.largeAddr() + "/")
		if err == nil {
			_ = answer.Body.Close()
		}
		return err == nil
	})
}

// TestLargeDocumentStandsStill: a document that is begun and does not go on ends, and so does any other request; the
// person may think longer than that about whether to sign at all, and a document that goes on slowly is signed.
func TestLargeDocumentStandsStill(t *testing.T) {
	const pause = 700 * time.Millisecond
	b := bring(t, largeOn, func(c *Config) { c.pause = pause })
	b.key("GOST512_a.p12", b.authority.Individual())
	d := b.largePage()
	asked := make(chan int, 1)
	go func() {
		status, _, _ := d.do("POST", "/", strings.NewReader(`{"numberOfDocuments":1}`))
		asked <- status
	}()
	slow := b.window()
	key := slow.unlock("")
	time.Sleep(2 * pause) //nolint:forbidigo // it is slow itself
	go slow.goOn(key)
	if status := <-asked; status != 200 {
		t.Fatalf("who thinks for long signs nothing: %d", status)
	}
	slow.cancel()

	id, ended, h := d.begin(`{"numberOfDocuments":2,"base64":false,"encapsulateContent":false}`, "")
	head := "Host: " + b.agent.largeAddr() + "\r\nOrigin: " + page + "\r\nCookie: " + d.cookie.Name + "=" + d.cookie.Value + "\r\nContent-Length: 100\r\n\r\n"
	for _, begun := range []string{"POST " + id + " HTTP/1.1\r\n" + head + "half", "POST / HTTP/1.1\r\n" + head + "{"} {
		c, err := tls.Dial("tcp", b.agent.largeAddr(), trusting(b))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, begun); err != nil {
			t.Fatal(err)
		}
		if err := c.SetReadDeadline(time.Now().Add(10 * pause)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) { // closed from the other side otherwise
			t.Errorf("%.20s stands still for ever", begun)
		}
	}
	if status, out, _ := d.do("POST", id, &drops{left: 6, each: pause / 2}); status != 200 {
		t.Errorf("a slow document: %d", status)
	} else {
		good(t, out, []byte("dropdropdropdropdropdrop"))
	}
	if status, _, _ := d.do("POST", id, strings.NewReader("a third one")); status != 401 {
		t.Errorf("a document that was given up does not count: %d", status)
	}
	h.cancel()
	<-ended
}

// drops is a document that comes slowly.
type drops struct {
	left int
	each time.Duration
}

func (d *drops) Read(b []byte) (int, error) {
	if d.left == 0 {
		return 0, io.EOF
	}
	time.Sleep(d.each) //nolint:forbidigo // it is slow itself
	d.left--
	return copy(b, "drop"), nil
}
