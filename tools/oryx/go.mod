// What fosite takes of Ory's common library, in fifty lines. The real module would link gRPC, four
// exporters of traces and a logger into the server that holds the authority's keys, for one function
// that ends a span; see decision/0030.
module github.com/ory/x

go 1.26.0

require go.opentelemetry.io/otel/trace v1.40.0

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	go.opentelemetry.io/otel v1.40.0 // indirect
)
