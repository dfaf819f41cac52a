package pdf

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
)

// decoded gives the bytes of a stream: plain, or Flate with or without a PNG predictor.
func (f *File) decoded(s *Stream) ([]byte, error) {
	if s.Dict.Twice {
		return nil, fmt.Errorf("%w: stream with a key twice", ErrDamaged)
	}
	raw := io.NewSectionReader(f.r, s.At, s.Size)
	filter, parms, err := f.filter(s.Dict)
	if err != nil {
		return nil, err
	}
	limit := min(maxDecoded, max(minDecoded, maxRatio*s.Size))
	in := io.Reader(raw)
	switch filter {
	case "":
	case "FlateDecode", "Fl":
		z, err := zlib.NewReader(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: stream at byte %d: %w", ErrDamaged, s.At, err)
		}
		in = z
	default:
		return nil, fmt.Errorf("%w: a cross-reference or object stream with filter %q", ErrDamaged, filter)
	}
	out, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%w: stream at byte %d: %w", ErrDamaged, s.At, err)
	}
	if int64(len(out)) > limit {
		return nil, fmt.Errorf("%w: stream at byte %d decodes to more than %d bytes", ErrTooMuch, s.At, limit)
	}
	if err := f.spend(s.Size + int64(len(out))); err != nil {
		return nil, err
	}
	return f.unpredict(out, parms)
}

// filter gives the only filter of a stream and its parameters; "" when it has none.
func (f *File) filter(d *Dict) (Name, *Dict, error) {
	filter, err := f.Resolve(d.Get("Filter"))
	if err != nil {
		return "", nil, err
	}
	parms, err := f.Resolve(d.Get("DecodeParms"))
	if err != nil {
		return "", nil, err
	}
	if list, ok := filter.(Array); ok {
		if len(list) > 1 {
			return "", nil, fmt.Errorf("%w: a cross-reference or object stream with several filters", ErrDamaged)
		}
		filter = nil
		if len(list) == 1 {
			filter = list[0]
		}
	}
	if list, ok := parms.(Array); ok {
		parms = nil
		if len(list) == 1 {
			parms = list[0]
		}
	}
	settings, err := f.Dict(parms)
	if err != nil || filter == nil {
		return "", nil, err
	}
	name, ok := filter.(Name)
	if !ok || name == "" {
		return "", nil, fmt.Errorf("%w: filter of a stream", ErrDamaged)
	}
	return name, settings, nil
}

// unpredict undoes PNG prediction, ISO 32000-1 7.4.4.4 and RFC 2083 6.
func (f *File) unpredict(data []byte, parms *Dict) ([]byte, error) {
	setting := func(key Name, usual int64) int64 {
		if n, ok := parms.Get(key).(int64); ok {
			return n
		}
		return usual
	}
	predictor := setting("Predictor", 1)
	if predictor == 1 {
		return data, nil
	}
	colors, bits, columns := setting("Colors", 1), setting("BitsPerComponent", 8), setting("Columns", 1)
	if predictor < 10 || predictor > 15 || colors < 1 || colors > 32 || bits < 1 || bits > 16 || columns < 1 || columns > 1<<20 {
		return nil, fmt.Errorf("%w: predictor %d of a stream", ErrDamaged, predictor)
	}
	row, pixel := int((colors*bits*columns+7)/8), int((colors*bits+7)/8)
	out := make([]byte, 0, len(data))
	above := make([]byte, row)
	for in := bytes.NewBuffer(data); in.Len() > 0; {
		kind, _ := in.ReadByte()
		now := bytes.Clone(in.Next(row))
		if len(now) < row || kind > 4 {
			return nil, fmt.Errorf("%w: predicted row of a stream", ErrDamaged)
		}
		undo(kind, now, above, pixel)
		out = append(out, now...)
		above = now
	}
	return out, nil
}

func undo(kind byte, now, above []byte, pixel int) {
	for i := range now {
		var left, corner byte
		if i >= pixel {
			left, corner = now[i-pixel], above[i-pixel]
		}
		switch kind {
		case 1:
			now[i] += left
		case 2:
			now[i] += above[i]
		case 3:
			now[i] += byte((int(left) + int(above[i])) / 2)
		case 4:
			now[i] += paeth(int(left), int(above[i]), int(corner))
		}
	}
}

func paeth(left, up, corner int) byte {
	p := left + up - corner
	dl, du, dc := abs(p-left), abs(p-up), abs(p-corner)
	switch {
	case dl <= du && dl <= dc:
		return byte(left)
	case du <= dc:
		return byte(up)
	}
	return byte(corner)
}

func abs(n int) int { return max(n, -n) }
