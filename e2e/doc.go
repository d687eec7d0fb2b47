// Package e2e drives the built server from outside, as its users do: with npm,
// pnpm, yarn, bun, skopeo, crane, oras, helm, curl, wget and a browser, over
// the network, killed and restarted at will. It imports nothing of the server;
// what it knows of it is the command line and the wire.
//
// Two kinds of test live here. Scripts in testdata/script tell one scenario
// each in the words of the client ([TestScript] explains the commands); they are
// also the shortest documentation of what works. Go tests cover what no client
// does on its own: crashes, races, memory, restarts in the middle of an upload.
//
// Everything runs in two set-ups: SQLite with blobs on disk, as after
// `go run .`, and PostgreSQL with an S3 bucket, as in a cluster. The harness
// starts PostgreSQL and the S3 server itself, on loopback, and ends them.
//
// The tests need the build tag e2e and the programs that e2e/install installs:
//
//	make e2e
//	make e2e RUN='TestScript/sqlite-disk/npm'
//	go test -tags e2e ./e2e/ -run TestCrash -v
//
// E2E_RACE=1 builds the server with the race detector,
// E2E_BINARY names one that is built already.
package e2e
