package jwt

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"senim/pki"
)

// readClaims reads the registered claims of a payload.
func readClaims(payload []byte) (c Claims, err error) {
	members, err := object(payload)
	if err != nil {
		return c, err
	}
	for name, to := range map[string]*string{"iss": &c.Issuer, "sub": &c.Subject, "jti": &c.ID} {
		if raw, ok := members[name]; ok {
			if *to, err = text(raw); err != nil {
				return c, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	for name, to := range map[string]*time.Time{"exp": &c.Expires, "nbf": &c.NotBefore, "iat": &c.IssuedAt} {
		if raw, ok := members[name]; ok {
			if *to, err = moment(raw); err != nil {
				return c, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if raw, ok := members["aud"]; ok {
		if c.Audience, err = audience(raw); err != nil {
			return c, fmt.Errorf("aud: %w", err)
		}
	}
	return c, nil
}

// lastMoment is the end of the year 9999.
const lastMoment = 253402300799

// moment reads NumericDate, RFC 7519 §2: seconds since 1970, maybe with a fraction.
func moment(raw json.RawMessage) (time.Time, error) {
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil && 0 <= n && n <= lastMoment {
		return time.Unix(n, 0).UTC(), nil
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || f < 0 || f > lastMoment {
		return time.Time{}, errors.New("not a time in seconds")
	}
	whole, fraction := math.Modf(f)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), nil
}

// audience reads one text or a list of them.
func audience(raw json.RawMessage) ([]string, error) {
	if s, err := text(raw); err == nil {
		return []string{s}, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil || list == nil {
		return nil, errors.New("neither a text nor a list")
	}
	var out []string
	for _, r := range list {
		s, err := text(r)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// ClaimsFor writes claims as the national library does: sub is the SERIALNUMBER of the certificate
// ("IIN" and twelve digits), iat the time of signing in whole seconds; and exp, when life is not zero.
// The certificate of an information system names no person and is refused.
func ClaimsFor(c *pki.Certificate, issued time.Time, life time.Duration) ([]byte, error) {
	subject := c.Subject.Get(pki.OIDSerialNumber)
	if subject == "" {
		return nil, errors.New("claims: the certificate names no person")
	}
	if issued.Unix() < 0 || issued.Unix() > lastMoment || life < 0 {
		return nil, errors.New("claims: times out of range")
	}
	quoted, err := json.Marshal(subject)
	if err != nil {
		return nil, err
	}
	out := `{"sub":` + string(quoted) + `,"iat":` + strconv.FormatInt(issued.Unix(), 10)
	if life > 0 {
		out += `,"exp":` + strconv.FormatInt(issued.Add(life).Unix(), 10)
	}
	return []byte(out + "}"), nil
}

// Names tells whether the subject of the token is the person of a certificate, as ClaimsFor writes it.
func (t *Token) Names(c *pki.Certificate) bool {
	subject := c.Subject.Get(pki.OIDSerialNumber)
	return subject != "" && t.Claims.Subject == subject
}
