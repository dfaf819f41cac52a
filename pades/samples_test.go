package pades

import (
	"bytes"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"codeberg.org/go-pdf/fpdf"

	"senim/internal/pkitest"
)

// tool runs a program in a directory; the test is skipped without it.
func tool(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("no %s on this machine", name)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func put(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func take(t *testing.T, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// report is a document of another program: fonts, two pages, links and a table of contents.
func report(t *testing.T) []byte {
	t.Helper()
	p := fpdf.New("P", "mm", "A4", "")
	p.SetTitle("Report", true)
	p.SetFont("Helvetica", "", 16)
	for page := range 3 {
		p.AddPage()
		p.Bookmark("Page "+strconv.Itoa(page), 0, -1)
		p.CellFormat(40, 10, "Pay 100 tenge", "1", 1, "L", false, 0, "https://example.kz")
	}
	var b bytes.Buffer
	if err := p.Output(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// signTwice signs a document with both kinds of keys and wants both good, and the later change seen.
func signTwice(t *testing.T, a *pkitest.Authority, file []byte) []byte {
	t.Helper()
	file = signed(t, signed(t, file, rsaLeaf(a)), a.Head())
	list := verdicts(t, file)
	if len(list) != 2 || list[0].Outcome != Valid || list[1].Outcome != Valid {
		t.Fatalf("%v\n%v", list[0].Err, list[len(list)-1].Err)
	}
	return file
}

func TestForeignDocument(t *testing.T) { signTwice(t, authority(t), report(t)) }

// What qpdf makes of a document: object streams, linearised, spread out, encrypted.
func TestQPDF(t *testing.T) {
	a, dir := authority(t), t.TempDir()
	put(t, dir, "in.pdf", report(t))
	for name, args := range map[string][]string{
		"streams":            {"--object-streams=generate"},
		"linear":             {"--linearize"},
		"linear and streams": {"--linearize", "--object-streams=generate"},
		"spread":             {"--qdf", "--object-streams=disable"},
		"old":                {"--object-streams=disable", "--force-version=1.3"},
	} {
		t.Run(name, func(t *testing.T) {
			tool(t, dir, "qpdf", append(args, "in.pdf", "out.pdf")...)
			put(t, dir, "signed.pdf", signTwice(t, a, take(t, dir, "out.pdf")))
			if out := tool(t, dir, "qpdf", "--check", "signed.pdf"); strings.Contains(out, "WARNING") {
				t.Error(out)
			}
		})
	}
	tool(t, dir, "qpdf", "--encrypt", "a", "b", "256", "--", "in.pdf", "out.pdf")
	locked := take(t, dir, "out.pdf")
	if _, err := Parse(bytes.NewReader(locked), int64(len(locked))); !errors.Is(err, ErrEncrypted) {
		t.Error(err)
	}
	// A whole rewrite, as "save as" of many programs, loses the signature or breaks it.
	put(t, dir, "signed.pdf", signTwice(t, a, take(t, dir, "in.pdf")))
	tool(t, dir, "qpdf", "--object-streams=disable", "signed.pdf", "out.pdf")
	for _, v := range verdicts(t, take(t, dir, "out.pdf")) {
		if v.Outcome != Invalid {
			t.Error(v.Outcome, v.Err)
		}
	}
}

// A page printed by a browser.
func TestChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	a, dir := authority(t), t.TempDir()
	put(t, dir, "page.html", []byte(`<!doctype html><meta charset=utf-8><title>Келісім</title><h1>100 теңге</h1><a href="https://example.kz">x</a><input value=a>`))
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium on this machine")
	}
	err = exec.Command(browser, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+filepath.Join(dir, "profile"),
		"--print-to-pdf="+filepath.Join(dir, "page.pdf"), "file://"+filepath.Join(dir, "page.html")).Run()
	if err != nil {
		t.Skipf("chromium did not print the page: %v", err)
	}
	page := take(t, dir, "page.pdf")
	signTwice(t, a, page)
	tool(t, dir, "qpdf", "--object-streams=generate", "page.pdf", "streams.pdf")
	signTwice(t, a, take(t, dir, "streams.pdf"))
}

// Other readers of our signatures.
func TestPdfsig(t *testing.T) {
	a, dir := authority(t), t.TempDir()
	l := rsaLeaf(a)
	for name, file := range map[string][]byte{"table": classic(body(), ""), "streams": modern(body()), "report": report(t)} {
		one := signed(t, file, l, func(o *Options) { o.Reason, o.Location = "Келісім", "Астана" })
		put(t, dir, name+".pdf", one)
		out := tool(t, dir, "pdfsig", "-nocert", name+".pdf")
		for _, want := range []string{"Signature is Valid.", "Total document signed", "ETSI.CAdES.detached", "ТЕСТОВ ТЕСТ", "SHA-256", "Signature Field Name: Signature1"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in\n%s", name, want, out)
			}
		}
		put(t, dir, name+".pdf", signed(t, one, l))
		if out = tool(t, dir, "pdfsig", "-nocert", name+".pdf"); strings.Count(out, "Signature is Valid.") != 2 || strings.Count(out, "Total document signed") != 1 {
			t.Errorf("%s, twice:\n%s", name, out)
		}
	}
}

func TestMuPDF(t *testing.T) {
	a, dir := authority(t), t.TempDir()
	for name, file := range map[string][]byte{"table": classic(body(), ""), "streams": modern(body()), "report": report(t)} {
		put(t, dir, name+".pdf", signTwice(t, a, file))
		out := tool(t, dir, "mutool", "draw", "-F", "txt", name+".pdf", "1")
		out = strings.ReplaceAll(out, "warning: ICC support is not available", "")
		if !strings.Contains(out, "Pay 100 tenge") || strings.Contains(out, "warning") || strings.Contains(out, "error") {
			t.Errorf("%s: %s", name, out)
		}
	}
}

// OpenSSL verifies the message of an RSA signature over the bytes of ByteRange.
func TestOpenSSL(t *testing.T) {
	a, dir := authority(t), t.TempDir()
	l := rsaLeaf(a)
	file := signed(t, modern(body()), l)
	v := verdicts(t, file)[0]
	put(t, dir, "message.der", v.Message.Raw())
	put(t, dir, "signer.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: l.Certificate.Raw}))
	content := append(bytes.Clone(file[:v.ByteRange[1]]), file[v.ByteRange[2]:]...)
	put(t, dir, "content", content)
	args := []string{"cms", "-verify", "-binary", "-cades", "-inform", "DER", "-in", "message.der", "-content", "content",
		"-CAfile", "signer.pem", "-partial_chain", "-purpose", "any", "-attime", strconv.FormatInt(moment.Unix(), 10), "-out", "verified"}
	tool(t, dir, "openssl", args...)
	if !bytes.Equal(take(t, dir, "verified"), content) {
		t.Error("OpenSSL verified something else")
	}
}

// Documents that come with two modules, where these are in the cache: nearly every way to write PDF,
// and signatures of other programs.
func TestSamples(t *testing.T) {
	if testing.Short() {
		t.Skip("signs hundreds of documents")
	}
	cache := strings.TrimSpace(tool(t, "", "go", "env", "GOMODCACHE"))
	l := rsaLeaf(authority(t))
	for module, want := range map[string]map[string]string{
		"codeberg.org/go-pdf/fpdf@v0.11.0": {},
		"github.com/pdfcpu/pdfcpu@v0.15.0": {
			"testPAdES_BB.pdf":   "valid",
			"testPAdES_BT.pdf":   "valid",
			"testPAdES_BLT.pdf":  "valid",
			"testPAdES_BLTA.pdf": "valid, cannot say", // the certificate of the time-stamp is elsewhere
			"sample1.pdf":        "valid",
			"sample2.pdf":        "valid",
			"sample01.pdf":       "cannot say", // adbe.x509.rsa_sha1
		},
	} {
		t.Run(module, func(t *testing.T) {
			dir := filepath.Join(cache, filepath.FromSlash(module))
			if _, err := os.Stat(dir); err != nil {
				t.Skip("go mod download " + module + " brings the samples")
			}
			files, refused := 0, 0
			err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
				if err != nil || e.IsDir() || filepath.Ext(path) != ".pdf" {
					return err
				}
				files++
				data, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				d, err := Parse(bytes.NewReader(data), int64(len(data)))
				if err != nil {
					if refused++; !errors.Is(err, ErrEncrypted) && !errors.Is(err, ErrDamaged) {
						t.Errorf("%s: %v", path, err)
					}
					return nil
				}
				before, _ := d.Verify()
				var got []string
				for _, v := range before {
					got = append(got, v.Outcome.String())
				}
				if want := want[e.Name()]; strings.Join(got, ", ") != want {
					t.Errorf("%s: %q, want %q", path, got, want)
				}
				update, err := d.Sign(random, Options{Key: l.Key, Certificate: l.Certificate, Time: moment})
				if errors.Is(err, ErrLocked) || errors.Is(err, ErrKind) {
					return nil
				}
				if err != nil {
					t.Errorf("%s: %v", path, err)
					return nil
				}
				for i, v := range verdicts(t, append(data, update...)) {
					if v.Outcome != Valid && (i == len(before) || before[i].Outcome == Valid) {
						t.Errorf("%s: %s: %v", path, v.Field, v.Err)
					}
				}
				return nil
			})
			if err != nil || files == 0 || refused > 2 {
				t.Errorf("%d files, %d refused, %v", files, refused, err)
			}
			t.Logf("%d files, %d refused", files, refused)
		})
	}
}
