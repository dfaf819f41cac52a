package main

// wanted is one row of the table: what of the project is measured, against which peer, and how much
// faster it has to be. A peer with a name and no target is there for orientation.
type wanted struct {
	name   string
	text   string // for people
	of     goBenchmark
	peer   peerOperation
	unit   string  // opsPerSecond, megabytes, allocations, or what the benchmark says
	size   int     // bytes in one operation, for megabytes
	target float64 // ratio or rate at least; of others at most
	must   bool    // there is a target
	once   bool    // measured in the first round only: making ready takes minutes
}

// goBenchmark names a benchmark of the project.
type goBenchmark struct {
	build string // normal or purego
	pkg   string
	name  string // with /sub
}

// peerOperation names one operation of a harness.
type peerOperation struct{ peer, name string }

const (
	opsPerSecond = "op/s"
	megabytes    = "MB/s"
	allocations  = "allocs/op"
	seconds      = "s"
	cpuSeconds   = "CPU-s"
	mebibytes    = "MiB"
	// perProcessor is what a benchmark of many goroutines says itself: by the processor's time, not the clock's.
	perProcessor = "op/cpu-s"

	normal = ""
	purego = "purego"

	nettle = "nettle"
	engine = "gost-engine"
	stepca = "step-ca"
	argon  = "argon2id" // a benchmark of the project, beside which another is set
	nobody = ""

	streebog = "gost/streebog"
)

// table is every target of the specification of performance, and what helps to read them.
var table = []wanted{
	ratio("sign512", "sign, 512 bits", gost("Sign512"), nettle, "sign512", 3),
	ratio("verify512", "verify, 512 bits, key as it is", gost("Verify512"), nettle, "verify512", 2.4),
	ratio("verify512-prepared", "verify, 512 bits, prepared key", gost("Verify512Prepared"), nettle, "verify512", 8.5),
	ratio("verify512-batch", "verify, 512 bits, eight at a time (a stretch)", gost("Verify512Batch"), nettle, "verify512", 7),
	hash("streebog512-1MiB", "Streebog-512, 1 MiB", normal, 1<<20, engine, 2.7),

	ratio("sign512-purego", "sign, 512 bits, portable Go", portable("Sign512"), nettle, "sign512", 1.5),
	ratio("verify512-purego", "verify, 512 bits, key as it is, portable Go", portable("Verify512"), nettle, "verify512", 1.6),
	hash("streebog512-1MiB-purego", "Streebog-512, 1 MiB, portable Go", purego, 1<<20, engine, 0.9),

	ratio("sign256", "sign, 256 bits (tc26-256-A)", gost("Sign256"), engine, "sign256", 1),
	ratio("verify256", "verify, 256 bits (tc26-256-A), key as it is", gost("Verify256"), engine, "verify256", 1),
	ratio("cms-verify", "verify a CMS message of 1 KiB, chain of one, issuer prepared", goBenchmark{normal, "cms", "BenchmarkVerifyMessage"}, engine, "cms", 4),

	ratio("issue512", "issue a GOST512 certificate, durable on SQLite; the peer takes a token and signs P-256, on bbolt; both in process",
		issue512, stepca, "issue", 2),
	more("issue512-rate", "issue a GOST512 certificate, durable on SQLite, in process", issue512, 1000),

	fewer("sign512-allocations", "allocations of signing, 512 bits", gost("Sign512"), 0),
	fewer("verify512-prepared-allocations", "allocations of verifying, 512 bits, prepared key", gost("Verify512Prepared"), 0),

	atMost("crl-million-512-seconds", "CRL of 1,000,000 entries, GOST512: seconds of the processor, storing it included", stored("MillionEntries512"), cpuSeconds, 3),
	atMost("crl-million-512-clock", "CRL of 1,000,000 entries, GOST512: seconds of the clock, storing it on this disk included", stored("MillionEntries512"), seconds, 3),
	atMost("crl-million-512-memory", "CRL of 1,000,000 entries, GOST512: MiB", stored("MillionEntries512"), mebibytes, 512),
	atMost("crl-million-rsa-seconds", "CRL of 1,000,000 entries, RSA: seconds of the processor, storing it included", stored("MillionEntriesRSA"), cpuSeconds, 3),
	atMost("crl-million-rsa-clock", "CRL of 1,000,000 entries, RSA: seconds of the clock, storing it on this disk included", stored("MillionEntriesRSA"), seconds, 3),
	atMost("crl-million-rsa-memory", "CRL of 1,000,000 entries, RSA: MiB", stored("MillionEntriesRSA"), mebibytes, 512),
	atMost("start-10-million", "start with 10,000,000 certificates: seconds", stored("Start"), seconds, 1),

	{"sign-in", "sign in through the pages: challenge, GOST512 chain, status, password, session; durable on SQLite; beside its argon2id alone",
		signIn("SignIn"), peerOperation{argon, "BenchmarkArgon2id"}, opsPerSecond, 0, 0.85, true, false},
	more("sign-in-certificate", "the certificate's part of a sign-in, by the processor's time", signIn("CertificatePart"), 1800),
	atMost("sessions-100-thousand", "100,000 open sessions: MiB of the process", stored("OpenSessions"), mebibytes, 100),

	beside("issue512-signature", "issue a GOST512 certificate, durable on SQLite; the peer signs P-256 for tokens taken before, on bbolt", issue512, stepca, "sign"),
	beside("sign512", "sign, 512 bits", gost("Sign512"), engine, "sign512"),
	beside("verify512", "verify, 512 bits, key as it is", gost("Verify512"), engine, "verify512"),
	beside("keygen512", "make a key, 512 bits", gost("Keygen512"), nettle, "keygen512"),
	beside("keygen512", "make a key, 512 bits", gost("Keygen512"), engine, "keygen512"),
	beside("verify512-prepared-purego", "verify, 512 bits, prepared key, portable Go", portable("Verify512Prepared"), nettle, "verify512"),
	beside("keygen512-purego", "make a key, 512 bits, portable Go", portable("Keygen512"), nettle, "keygen512"),
	beside("verify256-prepared", "verify, 256 bits, prepared key", gost("Verify256Prepared"), engine, "verify256"),
	beside("keygen256", "make a key, 256 bits", gost("Keygen256"), engine, "keygen256"),
	beside("sign256-purego", "sign, 256 bits, portable Go", portable("Sign256"), engine, "sign256"),
	beside("verify256-purego", "verify, 256 bits, portable Go", portable("Verify256"), engine, "verify256"),
	hash("streebog512-64B", "Streebog-512, 64 B", normal, 64, engine, 0),
	hash("streebog512-1KiB", "Streebog-512, 1 KiB", normal, 1024, engine, 0),
	hash("streebog512-64B", "Streebog-512, 64 B", normal, 64, nettle, 0),
	hash("streebog512-1KiB", "Streebog-512, 1 KiB", normal, 1024, nettle, 0),
	hash("streebog512-1MiB", "Streebog-512, 1 MiB", normal, 1<<20, nettle, 0),
	hash("streebog512-64B-purego", "Streebog-512, 64 B, portable Go", purego, 64, engine, 0),
	hash("streebog512-1KiB-purego", "Streebog-512, 1 KiB, portable Go", purego, 1024, engine, 0),
}

// issue512 reports operations for each second of processor time itself, as its peer does.
var issue512 = goBenchmark{normal, "internal/ca", "BenchmarkIssue512"}

func signIn(name string) goBenchmark {
	return goBenchmark{normal, "internal/portal", "Benchmark" + name}
}

func gost(name string) goBenchmark     { return goBenchmark{normal, "gost", "Benchmark" + name} }
func portable(name string) goBenchmark { return goBenchmark{purego, "gost", "Benchmark" + name} }

func ratio(name, text string, of goBenchmark, peer, operation string, target float64) wanted {
	return wanted{name, text, of, peerOperation{peer, operation}, opsPerSecond, 0, target, true, false}
}

func beside(name, text string, of goBenchmark, peer, operation string) wanted {
	return wanted{name, text, of, peerOperation{peer, operation}, opsPerSecond, 0, 0, false, false}
}

// hash is a row of Streebog-512; a target of 0 is none.
func hash(name, text, build string, size int, peer string, target float64) wanted {
	n := itoa(size)
	return wanted{name, text, goBenchmark{build, streebog, "Benchmark512/" + n}, peerOperation{peer, "streebog512/" + n}, megabytes, size, target, target > 0, false}
}

func fewer(name, text string, of goBenchmark, most float64) wanted {
	return wanted{name, text, of, peerOperation{nobody, ""}, allocations, 0, most, true, false}
}

// atMost is a row of something large, said by the benchmark itself in the unit.
func atMost(name, text string, of goBenchmark, unit string, most float64) wanted {
	return wanted{name, text, of, peerOperation{nobody, ""}, unit, 0, most, true, true}
}

func stored(name string) goBenchmark {
	return goBenchmark{normal, "internal/store", "Benchmark" + name}
}

// more is a row with a rate to be reached, without a peer.
func more(name, text string, of goBenchmark, least float64) wanted {
	return wanted{name, text, of, peerOperation{nobody, ""}, opsPerSecond, 0, least, true, false}
}
