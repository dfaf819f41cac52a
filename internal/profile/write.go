package profile

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Write tells a profile as a file would: [Read] of what it writes gives the same profile.
func (p Profile) Write(w io.Writer) error {
	lines := []string{
		p.Name + ":",
		"  title: " + strconv.Quote(p.Title),
		"  kind: " + string(p.Kind),
		"  subject: " + flow(p.Subject, Part.String),
		"  keys: " + flow(p.Keys, Key.String),
		"  usage: " + flow(p.Usage, UsageWord),
	}
	if p.Registered {
		lines = append(lines, "  registered: true")
	}
	lines = append(lines,
		"  key_usage: "+flow(KeyUsageWords(p.KeyUsage), func(s string) string { return s }),
		"  policies: "+flow(p.Policies, Policy.String),
		"  file_days: "+strconv.Itoa(p.FileDays),
		"  carrier_days: "+strconv.Itoa(p.CarrierDays),
		"  storage: "+strconv.FormatBool(p.Storage),
		"  serial: "+string(p.Serial),
		"  email: "+string(p.Email),
		"  identity: "+strconv.FormatBool(p.Identity),
	)
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

func flow[T any](list []T, text func(T) string) string {
	all := make([]string, len(list))
	for i, v := range list {
		all[i] = text(v)
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// String is the policy as in a file.
func (q Policy) String() string {
	id := "own"
	if q.OID != nil {
		id = q.OID.String()
	}
	text := "oid: " + id
	if q.CPS != "" {
		text += ", cps: " + strconv.Quote(q.CPS)
	}
	if q.Notice {
		text += ", notice: true"
	}
	return fmt.Sprintf("{%s}", text)
}
