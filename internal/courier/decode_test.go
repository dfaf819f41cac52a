package courier

import (
	"strings"
	"unicode/utf16"

	"senim/internal/gsm"
)

// decode reads what came over the air, written apart from [gsm.Shape].
func decode(s gsm.Shaped) string {
	var b strings.Builder
	for _, p := range s.Parts {
		var u []uint16
		for i := 0; i+1 < len(p); i += 2 {
			u = append(u, uint16(p[i])<<8|uint16(p[i+1]))
		}
		b.WriteString(string(utf16.Decode(u)))
	}
	return b.String()
}
