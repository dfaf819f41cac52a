package agent

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"senim/cms"
)

// TestNCALayerClientMultisign: the unmodified client in a page, with the switch for large documents on. Three documents of an
// operation, of 100 MiB each with SENIM_LONG, pass the agent in little memory, detached and attached, as bytes and as text;
// who cancels is told to the page as that, at the start and later.
func TestNCALayerClientMultisign(t *testing.T) {
	folder := packages(t, "npm")
	size := int64(6 << 20)
	if os.Getenv("SENIM_LONG") != "" {
		size = 100 << 20
	}
	b := today(t, largeOn)
	b.key("RSA.p12", rsaSigner(b))
	p := b.inChromium(folder)
	connect := fmt.Sprintf(`(globalThis.k = new NCALayerClient("wss://127.0.0.1:%s"), k.kmdHttpApiUrl = "https://%s/", k)`, b.agent.port, b.agent.largeAddr())
	if v := value[[]any](t, p.call(`[await `+connect+`.connect(), await k.kmdMultisignAvailable(), k.isKmd]`)); v[0] != "1.4" || v[1] != true || v[2] != false {
		t.Fatalf("%v", v)
	}
	begin := func(expression string) (*hand, chan ending) {
		t.Helper()
		p.start(expression)
		h := p.window()
		if h.view.Kind != "large" || h.view.Warnings[0].Level != "red" {
			t.Errorf("%+v", h.view)
		}
		key, ended := h.unlock("RSA.p12"), make(chan ending, 1)
		go func() { ended <- h.goOn(key) }()
		return h, ended
	}
	// The page keeps what it gets until the memory was measured: here it is the test's own.
	const blob, next = `new Blob(Array(%d).fill(new Uint8Array(1 << 20)))`, `void (globalThis.got ??= []).push(await k.kmdMultisignNext(%s))`
	for _, c := range []struct {
		name             string
		documents        int
		base64, attached bool
	}{
		{"bytes, detached", 3, false, false}, {"bytes, attached", 1, false, true}, {"text, attached", 1, true, true}, {"text, detached", 1, true, false},
	} {
		content := size
		if c.attached {
			content = min(size, 60<<20) // what can be read back in one piece
		}
		document := fmt.Sprintf(blob, content>>20)
		if c.base64 {
			content = content / 3 * 3
			document = fmt.Sprintf(`"A".repeat(%d)`, content/3*4)
		}
		_, ended := begin(fmt.Sprintf("k.startKmdMultisign(%d,%v,%v)", c.documents, c.base64, c.attached))
		if a := p.end(); a.Error != "" {
			t.Fatalf("%s: %s", c.name, a.Error)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range c.documents {
			if a := p.call(fmt.Sprintf(next, document)); a.Error != "" {
				t.Fatalf("%s: %s", c.name, a.Error)
			}
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > uint64(content)*uint64(c.documents)/2 {
			t.Errorf("%s: %d KiB were allocated for %d of %d MiB", c.name, used>>10, c.documents, size>>20)
		}
		if e := <-ended; !e.Done || e.Failed {
			t.Errorf("%s: %+v", c.name, e)
		}
		for range c.documents {
			sd, err := cms.Parse(unbase(t, value[string](t, p.call(`got.shift()`))))
			if err != nil || sd.Detached() == c.attached || c.attached && int64(len(sd.Content())) != content {
				t.Fatal(c.name, err)
			}
			verify := func() ([]cms.Verified, error) { return sd.VerifyReader(&zeros{content}) }
			if c.attached {
				verify = func() ([]cms.Verified, error) { return sd.Verify(nil) }
			}
			if verdicts, err := verify(); err != nil || len(verdicts) != 1 || verdicts[0].Err != nil {
				t.Errorf("%s: %v %v", c.name, verdicts, err)
			}
		}
		if a := p.call(`k.kmdMultisignNext("MTEk")`); !strings.Contains(a.Error, "не была инициализирована") {
			t.Errorf("%s: one more than agreed: %+v", c.name, a)
		}
	}

	// 409 at the start, 401 later: both are a cancel to the page.
	p.start("k.startKmdMultisign(2,true,false)")
	p.window().cancel()
	if a := p.end(); !a.Canceled {
		t.Errorf("%+v", a)
	}
	h, ended := begin("k.startKmdMultisign(2,true,false)")
	if a := p.end(); a.Error != "" {
		t.Fatal(a.Error)
	}
	good(t, unbase(t, value[string](t, p.call(`k.kmdMultisignNext("MTEk")`))), []byte("11$"))
	h.cancel()
	<-ended
	if a := p.call(`k.kmdMultisignNext("MTEk")`); !a.Canceled {
		t.Errorf("%+v", a)
	}

	// With the switch on the same client sends every basicsSignCMS this way.
	if v := value[bool](t, p.call(`k.isKmdHttpApiAvailable`)); !v {
		t.Error("the client did not find the door")
	}
	_, ended = begin(`k.basicsSignCMS(NCALayerClient.basicsStorageAll,["MTEk",` + quote(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("x"), 70000))) +
		`],NCALayerClient.basicsCMSParamsDetached,NCALayerClient.basicsSignerAny)`)
	list := value[[]string](t, p.end())
	if e := <-ended; !e.Done || len(list) != 2 {
		t.Fatalf("%+v, %d signatures", e, len(list))
	}
	good(t, unbase(t, list[0]), []byte("11$"))
	good(t, unbase(t, list[1]), bytes.Repeat([]byte("x"), 70000))
	if a := p.refuse(`k.basicsSignCMS(NCALayerClient.basicsStorageAll,"MTEk",NCALayerClient.basicsCMSParamsDetached,NCALayerClient.basicsSignerAny)`); !strings.Contains(a.Error, "отменена пользователем") { // it wraps its own cancel
		t.Errorf("%+v", a)
	}
}
