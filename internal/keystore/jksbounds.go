package keystore

import (
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// maxEntries bounds the keys of one store that are offered.
const maxEntries = 64

// boundedJKS tells whether every length in a Java key store is one that the file has: the library believes
// them, and takes so much memory, before it knows the password.
func boundedJKS(content []byte) bool {
	_, ok := keysOfJKS(content)
	return ok
}

// keysOfJKS names the keys in a store, which stand there in the clear, in the order of their names; ok as [boundedJKS] has it.
func keysOfJKS(content []byte) (keys []string, ok bool) {
	in := cryptobyte.String(content)
	var magic, version, entries uint32
	if !in.ReadUint32(&magic) || !in.ReadUint32(&version) || !in.ReadUint32(&entries) || version != 1 && version != 2 {
		return nil, false
	}
	for range entries {
		var tag, chain uint32
		var alias cryptobyte.String
		if !in.ReadUint32(&tag) || !in.ReadUint16LengthPrefixed(&alias) || !in.Skip(8) { // the time
			return nil, false
		}
		chain = 1
		if tag == 1 { // a key; else the certificate of somebody trusted
			if !skip32(&in) || !in.ReadUint32(&chain) {
				return nil, false
			}
			keys = append(keys, string(alias))
		}
		for range chain {
			var kind cryptobyte.String
			if version == 2 && !in.ReadUint16LengthPrefixed(&kind) || !skip32(&in) {
				return nil, false
			}
		}
	}
	slices.Sort(keys)
	return keys, len(in) == 20 // the digest
}

// skip32 passes over what has its length, four bytes, before it.
func skip32(in *cryptobyte.String) bool {
	var n uint32
	return in.ReadUint32(&n) && uint64(n) <= uint64(len(*in)) && in.Skip(int(n))
}
