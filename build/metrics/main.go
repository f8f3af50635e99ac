// Command metrics tells what the node and its pods use: `kubectl top` and autoscalers ask for it as metrics.k8s.io. On
// each node it looks at the use of processor and memory now and then. On the control plane it also serves what it and
// those of the other nodes have found; these hand theirs in through the API server, so that no node has to be reached.
//
//	look ──► rates ──► store ──► metrics.k8s.io ◄── API server ◄── kubectl, autoscalers
//	                     ▲                              ▲
//	                     └────── PUT of the others ─────┘
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"
)

// Of the artifact.
const version = "1.0"

type options struct {
	node, usage, containers, health string
	resolution                      time.Duration
	api, ca, cert, key              string
	listen, serverCert, serverKey   string
	proxyCA, proxyName              string
}

func main() {
	log.SetFlags(log.LstdFlags | log.LUTC)
	// What it keeps is small; by default the garbage would be allowed to become many times that.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(40)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(32 << 20)
	}
	var o options
	flag.StringVar(&o.node, "node", "", "this node")
	flag.StringVar(&o.usage, "usage", "", "what use is read from: cgroups or processes")
	flag.StringVar(&o.containers, "containers", "", "where the runtime keeps its containers: KIND:FOLDER")
	flag.StringVar(&o.health, "health", "", "address to answer /healthz on")
	flag.DurationVar(&o.resolution, "resolution", 15*time.Second, "time from one look to the next")
	flag.StringVar(&o.api, "api", "", "URL of the API server")
	flag.StringVar(&o.ca, "ca", "", "authority of the API server")
	flag.StringVar(&o.cert, "cert", "", "certificate to use the API with")
	flag.StringVar(&o.key, "key", "", "its key")
	flag.StringVar(&o.listen, "listen", "", "address to serve metrics.k8s.io on; without one they are handed in")
	flag.StringVar(&o.serverCert, "server-cert", "", "certificate to serve with")
	flag.StringVar(&o.serverKey, "server-key", "", "its key")
	flag.StringVar(&o.proxyCA, "proxy-ca", "", "authority of the API server as a proxy")
	flag.StringVar(&o.proxyName, "proxy-name", "", "name of the API server as a proxy")
	showVersion := flag.Bool("version", false, "print the version and end")
	flag.Parse()
	if *showVersion {
		fmt.Println("metrics", version)
		return
	}

	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, o); err != nil && ctx.Err() == nil {
		log.Fatalf("metrics: %v", err)
	}
}

func run(ctx context.Context, o options) error {
	list, err := containerLister(o.containers)
	if err != nil {
		return err
	}
	source, err := usageSource(o.usage)
	if err != nil {
		return err
	}
	api, err := newAPI(o.api, o.ca, o.cert, o.key)
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	deliver := func(ctx context.Context, report nodeReport) error { return api.handIn(ctx, report) }
	if o.listen != "" {
		store := newStore()
		deliver = func(_ context.Context, report nodeReport) error {
			store.put(report, time.Now())
			return nil
		}
		server, err := newServer(o, store, api)
		if err != nil {
			return err
		}
		go func() { failed <- server.ListenAndServeTLS("", "") }()
	}
	var looked atomic.Int64
	looked.Store(time.Now().UnixNano())
	go func() { failed <- serveHealth(o.health, &looked, 3*o.resolution+10*time.Second) }()
	go func() {
		watch(ctx, newMeter(o.node, list, source), o.resolution, deliver, func() { looked.Store(time.Now().UnixNano()) })
	}()
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// The second look, which the first rates are made of, does not wait for the whole resolution.
const firstWindow = 3 * time.Second

func watch(ctx context.Context, m *meter, resolution time.Duration, deliver func(context.Context, nodeReport) error,
	done func()) {
	said := ""
	for wait := min(firstWindow, resolution); ; wait = resolution {
		report, err := m.look()
		if err == nil && report != nil {
			limited, cancel := context.WithTimeout(ctx, 5*time.Second)
			err = deliver(limited, *report)
			cancel()
		}
		// A control plane that is away says so by itself; once is enough here.
		if text := fmt.Sprint(err); err != nil && text != said && ctx.Err() == nil {
			log.Print(err)
			said = text
		} else if err == nil {
			said = ""
		}
		done()
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func serveHealth(address string, looked *atomic.Int64, patience time.Duration) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if time.Since(time.Unix(0, looked.Load())) > patience {
			http.Error(w, "it has not looked for long", http.StatusServiceUnavailable)
		}
	})
	return (&http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}).Serve(listener)
}
