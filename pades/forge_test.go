package pades

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"senim/algid"
	"senim/cms"
	"senim/internal/pkitest"
)

// forge signs by hand, so that anything can be wrong with the result: dict is the dictionary with
// @RANGE and @HEX in it, and the objects of the update are given with it. The signature is over what
// ranges gives (nil: as it should be); message may make the message from the digest.
type forge struct {
	dict    string
	objects map[int]string                           // beside 10, the dictionary, and 11, its field
	field   string                                   // of object 11; has a usual form
	message func(t *testing.T, digest []byte) []byte // nil: cms.Sign
	padding string                                   // hexadecimal digits put last in Contents
}

const usualDict = "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange @RANGE /Contents @HEX >>"

func (f forge) sign(t *testing.T, file []byte, l *pkitest.Leaf) []byte {
	t.Helper()
	if f.dict == "" {
		f.dict = usualDict
	}
	if f.field == "" {
		f.field = "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature1) /V 10 0 R /P 3 0 R /F 132 /Rect [0 0 0 0] >>"
	}
	const digits = 16000
	blank := "<" + strings.Repeat("0", digits) + ">"
	rangeBlank := "[0 " + strings.Repeat(" ", 30) + "]"
	objects := map[int]string{10: strings.NewReplacer("@RANGE", rangeBlank, "@HEX", blank).Replace(f.dict), 11: f.field}
	if f.objects == nil {
		f.objects = map[int]string{
			1: "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [11 0 R] /SigFlags 3 >> >>",
			3: strings.Replace(body()[3], ">> >> >>", ">> >> /Annots [11 0 R] >>", 1),
		}
	}
	for n, o := range f.objects {
		objects[n] = o
	}
	return f.seal(t, growWith(file, objects, "/Root 1 0 R"), blank, rangeBlank, l)
}

// seal signs a file in which the last Contents and ByteRange are blank.
func (f forge) seal(t *testing.T, out []byte, blank, rangeBlank string, l *pkitest.Leaf) []byte {
	t.Helper()
	from := bytes.LastIndex(out, []byte(blank))
	to := from + len(blank)
	if i := bytes.LastIndex(out, []byte(rangeBlank)); i >= 0 {
		copy(out[i:], fmt.Appendf(nil, "[0 %d %d %d", from, to, len(out)-to))
	}
	digest := algid.SHA256.Sum(slices.Concat(out[:from], out[to:]))
	make := f.message
	if make == nil {
		make = func(t *testing.T, digest []byte) []byte { return sealed(t, l, digest) }
	}
	copy(out[from+1:], hex.EncodeToString(make(t, digest)))
	copy(out[to-1-len(f.padding):], f.padding)
	return out
}

func sealed(t *testing.T, l *pkitest.Leaf, digest []byte) []byte {
	t.Helper()
	der, err := cms.Sign(random, cms.Options{Key: l.Key, Certificate: l.Certificate, Digest: digest, SigningTime: moment})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// dictionaryOf finds the last signature dictionary of a file, with its number.
func dictionaryOf(file []byte) (num int, text string) {
	found := regexp.MustCompile(`(?s)(\d+) 0 obj\n(<< /Type /Sig .*?>>)\nendobj`).FindAllSubmatch(file, -1)
	last := found[len(found)-1]
	_, _ = fmt.Sscan(string(last[1]), &num)
	return num, string(last[2])
}
