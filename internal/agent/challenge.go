package agent

import (
	"bytes"
	"strings"
)

const challengeWord = "senim-challenge"

// relayed tells whether content is a sign-in challenge that another origin than the asking one wrote:
// a page may fetch a challenge of a site and bring it here (security.md §1 and §8). A challenge without
// exactly one readable origin line counts as relayed.
func relayed(content []byte, s site) (another string, bad bool) {
	if !bytes.HasPrefix(content, []byte(challengeWord)) {
		return "", false
	}
	var origins []string
	for _, line := range strings.Split(string(content), "\n") {
		if rest, ok := strings.CutPrefix(line, "origin:"); ok {
			origins = append(origins, strings.TrimSpace(rest))
		}
	}
	if len(origins) != 1 || s.Origin == "" {
		return strings.Join(origins, ", "), true
	}
	return origins[0], origins[0] != s.Origin
}
