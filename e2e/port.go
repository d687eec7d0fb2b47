//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

var givenPorts sync.Map // ports handed out in this run, so that two servers never share one

// freePort returns a loopback TCP port nobody listens on. It stays below the
// range from which the kernel takes ports for outgoing connections: a server
// that is killed and started again must find its port free.
func freePort() (int, error) {
	for range 1000 {
		port := 20000 + rand.IntN(12000)
		if _, taken := givenPorts.LoadOrStore(port, true); taken {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		return port, l.Close()
	}
	return 0, fmt.Errorf("no free port between 20000 and 32000")
}
