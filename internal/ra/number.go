package ra

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// NewNumber makes an application's number (L1): day, counter within the day, check digit.
func NewNumber(day time.Time, counter int) (string, error) {
	if counter < 1 || counter > 99999 {
		return "", fmt.Errorf("number an application: %d applications on one day", counter)
	}
	s := day.Format("060102") + fmt.Sprintf("%05d", counter)
	return s + strconv.Itoa(checkDigit(s)), nil
}

// ParseNumber reads a number as people type it, with spaces or dashes, and checks its last digit.
func ParseNumber(s string) (string, error) {
	s = strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(strings.TrimSpace(s))
	if len(s) != 12 {
		return "", refuse("NUMBER_INVALID")
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return "", refuse("NUMBER_INVALID")
		}
	}
	if checkDigit(s[:11]) != int(s[11]-'0') {
		return "", refuse("NUMBER_INVALID")
	}
	return s, nil
}

// FormatNumber prints a number as 4-4-4.
func FormatNumber(n string) string {
	if len(n) != 12 {
		return n
	}
	return n[:4] + "-" + n[4:8] + "-" + n[8:]
}

// checkDigit is ISO 7064 MOD 11,10.
func checkDigit(s string) int {
	p := 10
	for _, c := range s {
		sum := (p + int(c-'0')) % 10
		if sum == 0 {
			sum = 10
		}
		p = sum * 2 % 11
	}
	return (11 - p) % 10
}

func itoa(n int) string { return strconv.Itoa(n) }
