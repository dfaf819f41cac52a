package agent

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/coder/websocket"

	"senim/internal/pkitest"
	"senim/pfx"
)

// TestWindowOfWindows opens a window of the agent for Windows in Chromium, which is not under Wine with it, chooses a key there and
// types its password.
func TestWindowOfWindows(t *testing.T) {
	said, keys := os.Getenv("SENIM_WINDOWS_SAYS"), os.Getenv("SENIM_WINDOWS_KEYS")
	if said == "" {
		t.Skip("with the agent for Windows under Wine: make windows-test")
	}
	s := (&bench{T: t}).look()
	leaf := pkitest.New(t).Individual()
	file, err := pfx.Encode(rand.Reader, pfx.File{Key: leaf.Key, Certificate: leaf.Certificate}, password, pfx.NCA)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(keys, "GOST512_x.p12"), file, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://127.0.0.1:13579", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {page}}}) //nolint:bodyclose // the library has taken it
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	if _, _, err := c.Read(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Write(ctx, websocket.MessageText, []byte(commonCall("getKeyInfo", `"PKCS12"`))); err != nil {
		t.Fatal(err)
	}
	window := regexp.MustCompile(`(?m)^window (http\S+?)\r?$`)
	var address string
	for tick := time.Tick(100 * time.Millisecond); address == ""; {
		text, err := os.ReadFile(said)
		if err != nil {
			t.Fatal(err)
		}
		if m := window.FindSubmatch(text); m != nil {
			address = string(m[1])
			break
		}
		select {
		case <-tick:
		case <-ctx.Done():
			t.Fatalf("no window: %s", text)
		}
	}
	s.do("open the page", chromedp.Navigate(address), s.ready())
	s.click(`.key`)
	s.do("type the password", chromedp.SendKeys(chromedp.CSS("#password"), password+kb.Enter), chromedp.WaitVisible(chromedp.CSS(".key[data-state=unlocked]")))
	s.click(`.key`)
	s.click(`#sign`)
	s.see(`body[data-state=done]`)
	_, reply, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	told := object[struct {
		PEM string `json:"pem"`
	}](t, string(reply))
	if block, _ := pem.Decode([]byte(told.PEM)); block == nil || !bytes.Equal(block.Bytes, leaf.Certificate.Raw) {
		t.Errorf("%s", reply)
	}
}
