package cabinet

import (
	"context"
	"testing"
)

// receipts are the files of the public log, by serial.
type receipts map[string]string

func (r receipts) Receipt(_ context.Context, serial string) ([]byte, error) {
	if file, ok := r[serial]; ok {
		return []byte(file), nil
	}
	return nil, nil
}

// The receipt holds the holder's salt: he gets it, nobody else does.
func TestReceiptIsTheHoldersAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	mine, other := s.personal("123456789013"), s.personal("123456789012")
	where := func(serial string) string { return "/keys/receipt?serial=" + serial }
	s.receipts[other.Certificate.SerialHex()] = "another's salt"
	stranger := s.browser()
	stranger.get(where(mine.Certificate.SerialHex())).has(t, 200, "Вход")
	b := s.browser(mine)
	b.enter("p@example.kz")
	b.get("/keys").has(t, 200, "Квитанция журнала выпуска", "/keys/receipt?serial="+mine.Certificate.SerialHex())
	b.get(where(mine.Certificate.SerialHex())).has(t, 422, `data-code="NOT_IN_LOG"`)
	s.receipts[mine.Certificate.SerialHex()] = "my salt"
	if p := b.get(where(mine.Certificate.SerialHex())); p.status != 200 || p.body != "my salt" {
		t.Errorf("%d %q", p.status, p.body)
	}
	b.get(where(other.Certificate.SerialHex())).has(t, 404, `data-code="KEY_UNKNOWN"`)
	b.get(where("")).has(t, 404, `data-code="KEY_UNKNOWN"`)
}
