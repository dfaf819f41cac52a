package participant

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Parameters of argon2id: RFC 9106, second recommended choice.
const (
	hashTime    = 3
	hashMemory  = 64 * 1024 // KiB
	hashThreads = 4
	hashSalt    = 16
	hashKey     = 32

	maxTime   = 16
	maxMemory = 1 << 20
)

// Hasher makes and checks password hashes, as many at once as the machine has processors: each
// takes 64 MiB. Safe for concurrent use.
type Hasher struct {
	slots   chan struct{}
	random  io.Reader
	time    uint32
	memory  uint32
	threads uint8
}

// HashCost is what argon2id takes for one password; the zero cost is that of RFC 9106's second choice.
type HashCost struct {
	Time, Memory uint32 // passes, KiB
	Threads      uint8
}

// Enough reports whether a cost is not below the default and not beyond what a stored hash may ask.
func (c HashCost) Enough() bool {
	return c.Time >= hashTime && c.Time <= maxTime && c.Memory >= hashMemory && c.Memory <= maxMemory && c.Threads >= 1
}

// NewHasher makes a hasher with the parameters of RFC 9106's second choice; random nil means
// crypto/rand.
func NewHasher(random io.Reader) *Hasher { return NewHasherOf(random, HashCost{}) }

// NewHasherOf is [NewHasher] with another cost. Hashes that cost less are made anew at sign-in.
func NewHasherOf(random io.Reader, c HashCost) *Hasher {
	if random == nil {
		random = rand.Reader
	}
	if !c.Enough() {
		c = HashCost{hashTime, hashMemory, hashThreads}
	}
	return &Hasher{
		slots: make(chan struct{}, runtime.GOMAXPROCS(0)), random: random,
		time: c.Time, memory: c.Memory, threads: c.Threads,
	}
}

// Hash gives the hash of a password in the PHC form, with its parameters:
// $argon2id$v=19$m=65536,t=3,p=4$salt$key.
func (h *Hasher) Hash(password string) (string, error) {
	salt := make([]byte, hashSalt)
	if _, err := io.ReadFull(h.random, salt); err != nil {
		return "", fmt.Errorf("hash password: read random: %w", err)
	}
	h.slots <- struct{}{}
	key := argon2.IDKey([]byte(password), salt, h.time, h.memory, h.threads, hashKey)
	<-h.slots
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.time, h.threads,
		enc.EncodeToString(salt), enc.EncodeToString(key)), nil
}

// Check reports whether the password has the hash, and whether the hash is weaker than those made
// now, so that the caller stores a new one. A hash it cannot read matches nothing.
func (h *Hasher) Check(hash, password string) (ok, weak bool) {
	p, err := parseHash(hash)
	if err != nil || len(password) > maxPassword*utf8.UTFMax {
		return false, false
	}
	h.slots <- struct{}{}
	key := argon2.IDKey([]byte(password), p.salt, p.time, p.memory, p.threads, uint32(len(p.key)))
	<-h.slots
	ok = subtle.ConstantTimeCompare(key, p.key) == 1
	return ok, p.time < h.time || p.memory < h.memory || len(p.key) < hashKey
}

type hashParts struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

// parseHash reads the PHC form and bounds what it asks of the machine: our own table wrote it, but
// a restored or altered row must not take a gigabyte.
func parseHash(s string) (hashParts, error) {
	var p hashParts
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, fmt.Errorf("read password hash: not argon2id of version %d", argon2.Version)
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil {
		return p, fmt.Errorf("read password hash: parameters: %w", err)
	}
	if fmt.Sprintf("m=%d,t=%d,p=%d", p.memory, p.time, p.threads) != parts[3] {
		return p, fmt.Errorf("read password hash: parameters: not as they are written")
	}
	if p.memory > maxMemory || p.time < 1 || p.time > maxTime || p.threads < 1 {
		return p, fmt.Errorf("read password hash: parameters out of bounds")
	}
	var err error
	if p.salt, err = base64.RawStdEncoding.Strict().DecodeString(parts[4]); err != nil {
		return p, fmt.Errorf("read password hash: salt: %w", err)
	}
	if p.key, err = base64.RawStdEncoding.Strict().DecodeString(parts[5]); err != nil {
		return p, fmt.Errorf("read password hash: key: %w", err)
	}
	if len(p.key) < 16 || len(p.key) > 64 || len(p.salt) < 8 {
		return p, fmt.Errorf("read password hash: lengths out of bounds")
	}
	return p, nil
}

// Bounds of a password, in characters (section 15).
const (
	minPassword = 10
	maxPassword = 128
)

// PasswordCode checks a new password against the rule of section 15: 10 to 128 characters, not the
// person's IIN, BIN or phone, not one of the common ones, no forced classes. It gives "" or a code:
// PASSWORD_SHORT, PASSWORD_LONG, PASSWORD_PERSONAL, PASSWORD_COMMON. own lists the person's own
// numbers.
func PasswordCode(password string, own ...string) string {
	n := utf8.RuneCountInString(password)
	switch {
	case n < minPassword:
		return "PASSWORD_SHORT"
	case n > maxPassword:
		return "PASSWORD_LONG"
	}
	digits := onlyDigits(password)
	for _, s := range own {
		if s == "" {
			continue
		}
		if d := onlyDigits(s); strings.EqualFold(password, s) || len(d) >= 10 && digits == d && len(digits) == n {
			return "PASSWORD_PERSONAL"
		}
		// a phone is also typed as 8 and ten digits, or as ten digits alone, with signs between
		if d := onlyDigits(s); strings.HasPrefix(s, "+7") && strings.Trim(password, "0123456789+-(). ") == "" && len(d) == 11 && strings.HasSuffix(digits, d[1:]) {
			return "PASSWORD_PERSONAL"
		}
	}
	if isCommon(password) {
		return "PASSWORD_COMMON"
	}
	return ""
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// isCommon knows the passwords tried first by everyone: one character or a short piece repeated, a
// run along the keyboard or the digits, and the words of the list, with digits and signs behind.
func isCommon(password string) bool {
	p := strings.ToLower(password)
	if isPIN(p) || isListed(p) {
		return true
	}
	for size := 1; size <= 5; size++ {
		if len(p)%size == 0 && p == strings.Repeat(p[:size], len(p)/size) {
			return true
		}
	}
	for _, run := range commonRuns() {
		if strings.Contains(run, p) {
			return true
		}
	}
	word := strings.TrimRight(p, "0123456789!@#$%^&*._-+?")
	tail := strings.TrimLeft(p[len(word):], "!@#$%^&*._-+?")
	for _, w := range commonWords() {
		if p == w {
			return true
		}
		if word == w && len(tail) <= 8 && isPlainTail(tail) {
			return true
		}
	}
	return false
}

// isPlainTail reports whether what follows a common word adds next to nothing: a run of digits
// (1, 12, 123…), a year, or nothing.
func isPlainTail(tail string) bool {
	digits := strings.Trim(tail, "!@#$%^&*._-+?")
	if digits == "" || strings.Contains("01234567890", digits) || strings.Contains("0987654321", digits) {
		return true
	}
	return len(digits) == 4 && (strings.HasPrefix(digits, "19") || strings.HasPrefix(digits, "20"))
}

func commonRuns() []string {
	return []string{
		"01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz",
		"qwertyuiopasdfghjklzxcvbnm", "qwertyuiop[]asdfghjkl;'zxcvbnm,./", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
		"1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "йцукенгшщзхъфывапролджэячсмитьбю", "абвгдежзийклмнопрстуфхцчшщъыьэюя",
		"1234567890qwertyuiop", "12345678901234567890",
	}
}

func commonWords() []string {
	return []string{
		"password", "passw0rd", "p@ssw0rd", "p@ssword", "qwerty", "qwertyuiop", "administrator", "admin", "administrat", "welcome", "letmein", "iloveyou",
		"football", "basketball", "superman", "trustno1", "princess", "sunshine", "whatever", "starwars", "computer", "internet",
		"samsung", "kazakhstan", "kazakstan", "almaty", "astana", "nursultan", "qazaqstan", "shymkent", "aktobe", "karaganda",
		"пароль", "йцукен", "админ", "администратор", "казахстан", "қазақстан", "алматы", "астана", "құпиясөз", "любовь", "привет",
		"секрет", "солнышко", "наташа", "бухгалтер", "buhgalter", "accountant", "director", "директор", "руководитель", "changeme", "default", "secret", "master", "monkey", "dragon",
		"aa12345678", "qwerty12", "aa123456", "abc1234567", "asdfghjkl", "zxcvbnm", "1q2w3e4r5t", "1qaz2wsx3edc", "qazwsxedc", "qwe123qwe123",
	}
}
