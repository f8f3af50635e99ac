// Command netcheck is what `u7s check network` runs in a pod on each node: `netcheck serve ADDRESS` answers, `netcheck
// probe` reads probes as JSON from its arguments, tries them in turn and prints what came of each as JSON.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// A Probe is tried again until it succeeds or Within is over, except for one that measures.
type Probe struct {
	// connect: who answers? resolve: is the name known? transfer: do many bytes arrive unchanged, both ways?
	// throughput: how much arrives in a while?
	Kind string `json:"kind"`
	// HOST:PORT, or the name to resolve.
	Target string `json:"target"`
	// Who is to answer.
	Expect string `json:"expect,omitempty"`
	Bytes  int64  `json:"bytes,omitempty"`
	// Milliseconds.
	Within int64 `json:"within"`
}

type Result struct {
	OK            bool    `json:"ok"`
	Error         string  `json:"error,omitempty"`
	MTU           int     `json:"mtu,omitempty"`
	BitsPerSecond float64 `json:"bitsPerSecond,omitempty"`
}

const (
	attempt = 2 * time.Second
	pause   = 100 * time.Millisecond
)

func main() {
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == "serve":
		err = serve(os.Args[2])
	case len(os.Args) == 3 && os.Args[1] == "probe":
		err = probeAll(os.Args[2])
	default:
		err = errors.New("usage: netcheck serve ADDRESS | netcheck probe JSON")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "netcheck:", err)
		os.Exit(1)
	}
}

func serve(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go answer(connection)
	}
}

// answer takes one line, `name`, `sink` or `source BYTES`.
func answer(connection net.Conn) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	line, err := reader.ReadString('\n')
	if err != nil {
		return
	}
	words := strings.Fields(line)
	switch {
	case len(words) == 1 && words[0] == "name":
		name, _ := os.Hostname()
		fmt.Fprintln(connection, name)
	case len(words) == 1 && words[0] == "sink":
		sum := crc32.NewIEEE()
		count, _ := io.Copy(sum, reader)
		fmt.Fprintln(connection, count, sum.Sum32())
	case len(words) == 2 && words[0] == "source":
		count, _ := strconv.ParseInt(words[1], 10, 64)
		_, _ = io.Copy(connection, io.LimitReader(&pattern{}, count))
	}
}

// pattern is an endless stream in which bytes that are lost, doubled or swapped change the sum.
type pattern struct{ next uint32 }

func (p *pattern) Read(buffer []byte) (int, error) {
	for i := range buffer {
		p.next = p.next*1664525 + 1013904223
		buffer[i] = byte(p.next >> 24)
	}
	return len(buffer), nil
}

func probeAll(text string) error {
	var probes []Probe
	if err := json.Unmarshal([]byte(text), &probes); err != nil {
		return err
	}
	results := make([]Result, len(probes))
	for i, probe := range probes {
		results[i] = try(probe)
	}
	return json.NewEncoder(os.Stdout).Encode(results)
}

func try(probe Probe) Result {
	end := time.Now().Add(time.Duration(probe.Within) * time.Millisecond)
	for {
		result, err := once(probe)
		if err == nil {
			result.OK = true
			return result
		}
		if probe.Kind == "throughput" || time.Now().After(end) {
			return Result{Error: err.Error()}
		}
		time.Sleep(pause)
	}
}

func once(probe Probe) (Result, error) {
	switch probe.Kind {
	case "connect":
		return Result{}, connect(probe)
	case "resolve":
		ctx, cancel := context.WithTimeout(context.Background(), attempt)
		defer cancel()
		_, err := net.DefaultResolver.LookupHost(ctx, probe.Target)
		return Result{}, err
	case "transfer":
		return transfer(probe)
	case "throughput":
		return throughput(probe)
	}
	return Result{}, fmt.Errorf("no such probe: %s", probe.Kind)
}

func connect(probe Probe) error {
	connection, err := dial(probe.Target, "name", attempt)
	if err != nil {
		return err
	}
	defer connection.Close()
	name, err := bufio.NewReader(connection).ReadString('\n')
	if err != nil {
		return err
	}
	if name = strings.TrimSpace(name); name != probe.Expect {
		return fmt.Errorf("%s answered instead of %s", name, probe.Expect)
	}
	return nil
}

func transfer(probe Probe) (Result, error) {
	limit := time.Duration(probe.Within) * time.Millisecond
	want := crc32.NewIEEE()
	_, _ = io.Copy(want, io.LimitReader(&pattern{}, probe.Bytes))

	up, err := dial(probe.Target, "sink", limit)
	if err != nil {
		return Result{}, err
	}
	defer up.Close()
	if sent, err := io.Copy(up, io.LimitReader(&pattern{}, probe.Bytes)); err != nil {
		return Result{}, fmt.Errorf("of %d bytes %d could be sent: %w", probe.Bytes, sent, err)
	}
	count, sum, err := finish(up)
	if err != nil || count != probe.Bytes || sum != want.Sum32() {
		return Result{}, fmt.Errorf("of %d bytes sent %d arrived as they were: %v", probe.Bytes, count, err)
	}

	down, err := dial(probe.Target, fmt.Sprintf("source %d", probe.Bytes), limit)
	if err != nil {
		return Result{}, err
	}
	defer down.Close()
	got := crc32.NewIEEE()
	if count, err := io.Copy(got, down); err != nil || count != probe.Bytes || got.Sum32() != want.Sum32() {
		return Result{}, fmt.Errorf("of %d bytes %d were received as they were: %v", probe.Bytes, count, err)
	}
	return Result{MTU: mtuTowards(down)}, nil
}

// throughput sends for as long as Within says, and counts what the other side got.
func throughput(probe Probe) (Result, error) {
	duration := time.Duration(probe.Within) * time.Millisecond
	connection, err := dial(probe.Target, "sink", duration+10*attempt)
	if err != nil {
		return Result{}, err
	}
	defer connection.Close()
	buffer := make([]byte, 1<<20)
	start := time.Now()
	for time.Since(start) < duration {
		if _, err := connection.Write(buffer); err != nil {
			return Result{}, err
		}
	}
	count, _, err := finish(connection)
	if err != nil {
		return Result{}, err
	}
	return Result{BitsPerSecond: float64(count) * 8 / time.Since(start).Seconds()}, nil
}

func dial(target, request string, limit time.Duration) (*net.TCPConn, error) {
	connection, err := net.DialTimeout("tcp", target, attempt)
	if err != nil {
		return nil, err
	}
	_ = connection.SetDeadline(time.Now().Add(limit))
	_, err = fmt.Fprintln(connection, request)
	return connection.(*net.TCPConn), err
}

// finish tells a sink that this was all, and reads what it has got.
func finish(connection *net.TCPConn) (count int64, sum uint32, err error) {
	if err := connection.CloseWrite(); err != nil {
		return 0, 0, err
	}
	_, err = fmt.Fscan(connection, &count, &sum)
	return count, sum, err
}

func mtuTowards(connection net.Conn) int {
	local := connection.LocalAddr().(*net.TCPAddr).IP
	interfaces, _ := net.Interfaces()
	for _, each := range interfaces {
		addresses, _ := each.Addrs()
		for _, address := range addresses {
			if network, ok := address.(*net.IPNet); ok && network.IP.Equal(local) {
				return each.MTU
			}
		}
	}
	return 0
}
