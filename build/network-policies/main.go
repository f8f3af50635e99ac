// Command network-policies enforces the NetworkPolicies of a cluster for the pods of one node: as rules of nftables, in the
// node's own network namespace. The kernel carries them out by itself, whether this program runs or not.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
)

// For how long the kernel may refuse the rules before this counts as a fault.
const patience = 30 * time.Second

func main() {
	kubeconfig := flag.String("kubeconfig", "", "how to reach the API")
	nodeName := flag.String("node-name", "", "this node")
	bridge := flag.String("bridge", "cni0", "of the node's pods")
	health := flag.String("health", "", "unix socket on which to answer that it works")
	try := flag.Bool("try", false, "only try, in this network namespace, whether the kernel can do what it takes")
	flag.Parse()

	if *try {
		if err := tryKernel(*bridge); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	// The rules stay: a pod is not open while this starts anew.
	if err := run(ctx, *kubeconfig, *nodeName, *bridge, *health); err != nil && ctx.Err() == nil {
		klog.Exitf("network-policies: %v", err)
	}
}

// tryKernel enforces something with all that rules are made of, for a moment.
func tryKernel(bridge string) error {
	err := enforce(map[netip.Addr]isolation{
		netip.MustParseAddr("192.0.2.1"): {
			ingress: []rule{{
				peers: []span{{1, 2}, {4, 5}},
				ports: map[core.Protocol][]span{core.ProtocolTCP: {{1, 2}}, core.ProtocolUDP: {{0, 65535}}},
			}},
			egress: []rule{},
		},
	}, bridge)
	if err != nil {
		return err
	}
	return enforce(nil, bridge)
}

func run(ctx context.Context, kubeconfig, nodeName, bridge, health string) error {
	var refusedSince atomic.Int64
	works := func() bool {
		since := refusedSince.Load()
		return since == 0 || time.Since(time.Unix(since, 0)) < patience
	}
	if err := serveHealth(health, works); err != nil {
		return err
	}
	watched, err := watch(ctx, kubeconfig, nodeName)
	if err != nil {
		return err
	}
	var inForce string
	for {
		next, err := watched.next(ctx)
		if err != nil {
			return err
		}
		isolated := compile(next)
		// Not the same: no rules, and rules that are none.
		wanted := fmt.Sprintf("%#v", isolated)
		if wanted == inForce {
			continue
		}
		if err := enforce(isolated, bridge); err != nil {
			klog.Errorf("the policies are not in force: %v", err)
			refusedSince.CompareAndSwap(0, time.Now().Unix())
			watched.again(time.Second)
			continue
		}
		inForce = wanted
		refusedSince.Store(0)
		klog.Infof("%d policies are in force for %d pods of this node", len(next.policies), len(isolated))
	}
}

func serveHealth(path string, works func() bool) error {
	// Left by one that was killed.
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !works() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	go func() { _ = (&http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}).Serve(listener) }()
	return nil
}
