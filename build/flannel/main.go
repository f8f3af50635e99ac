// Command flanneld connects the pods of this node with those of the others: flannel's VXLAN backend, with the subnets
// that Kubernetes gives to nodes. Flannel's own command is not used, because it needs modules of other backends, and
// because it binds the VXLAN device to the node's public address, which does not exist in the namespaces of an
// ordinary user: behind slirp4netns a node has an address of its own and is reached by its host's.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/flannel-io/flannel/pkg/backend"
	_ "github.com/flannel-io/flannel/pkg/backend/vxlan"
	"github.com/flannel-io/flannel/pkg/ip"
	"github.com/flannel-io/flannel/pkg/lease"
	"github.com/flannel-io/flannel/pkg/subnet"
	"github.com/flannel-io/flannel/pkg/subnet/kube"
	"github.com/flannel-io/flannel/pkg/trafficmngr"
	"github.com/flannel-io/flannel/pkg/trafficmngr/iptables"
	"github.com/flannel-io/flannel/pkg/trafficmngr/nftables"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientset "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

const (
	annotations       = "flannel.alpha.coreos.com"
	ruleResyncSeconds = 30
)

type options struct {
	kubeconfig, nodeName, netConf, iface, publicIP string
	subnetFile, cniTemplate, cniConf, healthz      string
}

func main() {
	var o options
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "how to reach the API")
	flag.StringVar(&o.nodeName, "node-name", "", "this node")
	flag.StringVar(&o.netConf, "net-conf", "", "flannel's network configuration")
	flag.StringVar(&o.iface, "iface", "", "the interface that leads out")
	flag.StringVar(&o.publicIP, "public-ip", "", "the host's address, by which other nodes reach this one")
	flag.StringVar(&o.subnetFile, "subnet-file", "", "where to write the node's subnet and MTU")
	flag.StringVar(&o.cniTemplate, "cni-template", "", "CNI configuration with $NETWORK, $SUBNET and \"$MTU\"")
	flag.StringVar(&o.cniConf, "cni-conf", "", "where to write the CNI configuration made of it")
	flag.StringVar(&o.healthz, "healthz", "", "address to answer /readyz on")
	flag.Parse()

	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, o); err != nil && ctx.Err() == nil {
		klog.Exitf("flanneld: %v", err)
	}
}

func run(ctx context.Context, o options) error {
	var ready atomic.Bool
	if err := serveReadiness(o.healthz, &ready); err != nil {
		return err
	}
	if err := waitForPodCIDR(ctx, o); err != nil {
		return err
	}
	// The only way to tell the subnet manager.
	if err := os.Setenv("NODE_NAME", o.nodeName); err != nil {
		return err
	}
	manager, err := kube.NewSubnetManager(ctx, "", o.kubeconfig, annotations, o.netConf, false)
	if err != nil {
		return err
	}
	config, err := manager.GetNetworkConfig(ctx)
	if err != nil {
		return err
	}
	public, err := ip.ParseIP4(o.publicIP)
	if err != nil {
		return fmt.Errorf("--public-ip: %w", err)
	}
	out, err := interfaceWithAddress(o.iface)
	if err != nil {
		return err
	}
	vxlan, err := backend.NewManager(ctx, publicAddress{manager, public}, out).GetBackend(config.BackendType)
	if err != nil {
		return err
	}
	var group sync.WaitGroup
	network, err := vxlan.RegisterNetwork(ctx, &group, config)
	if err != nil {
		return err
	}
	if err := setUpRules(ctx, config, network.Lease()); err != nil {
		return err
	}
	err = manager.HandleSubnetFile(o.subnetFile, config, true, network.Lease().Subnet, ip.IP6Net{}, network.MTU())
	if err != nil {
		return err
	}
	if err := writeCNIConf(o, config, network); err != nil {
		return err
	}
	ready.Store(true)
	klog.Infof("pods of this node: %s, MTU %d, reached at %s", network.Lease().Subnet, network.MTU(), public)
	network.Run(ctx)
	return errors.New("the backend ended")
}

// publicAddress tells the other nodes an address that is not one of the interface's.
type publicAddress struct {
	subnet.Manager
	ip ip.IP4
}

func (p publicAddress) AcquireLease(ctx context.Context, attrs *lease.LeaseAttrs) (*lease.Lease, error) {
	attrs.PublicIP = p.ip
	return p.Manager.AcquireLease(ctx, attrs)
}

func serveReadiness(address string, ready *atomic.Bool) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !ready.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	go func() { _ = (&http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}).Serve(listener) }()
	return nil
}

// waitForPodCIDR returns when kube-controller-manager has given the node its part of the pods' network. Until then the
// subnet manager would fail, or look again only every three seconds.
func waitForPodCIDR(ctx context.Context, o options) error {
	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return err
	}
	client, err := clientset.NewForConfig(config)
	if err != nil {
		return err
	}
	said := ""
	for wait := 50 * time.Millisecond; ; wait = min(wait*3/2, time.Second) {
		node, err := client.CoreV1().Nodes().Get(ctx, o.nodeName, metav1.GetOptions{})
		if err == nil && node.Spec.PodCIDR != "" {
			return nil
		}
		reason := "it has no podCIDR yet"
		if err != nil {
			reason = err.Error()
		}
		if reason != said {
			klog.Infof("waiting for node %s: %s", o.nodeName, reason)
			said = reason
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

func interfaceWithAddress(name string) (*backend.ExternalInterface, error) {
	iface, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	addresses, err := ip.GetInterfaceIP4Addrs(iface)
	if err != nil || len(addresses) == 0 {
		return nil, fmt.Errorf("%s has no IPv4 address: %w", name, err)
	}
	return &backend.ExternalInterface{
		Iface: iface, IfaceName: name, IfaceAddr: addresses[0], ExtAddr: addresses[0],
	}, nil
}

// setUpRules lets packets of pods be forwarded, and those that leave for the outside have the node's address.
func setUpRules(ctx context.Context, config *subnet.Config, own *lease.Lease) error {
	var rules trafficmngr.TrafficManager = &iptables.IPTablesManager{}
	if config.EnableNFTables {
		rules = &nftables.NFTablesManager{}
	}
	if err := rules.Init(ctx); err != nil {
		return err
	}
	// The subnet before is said to be the present one: in fresh namespaces there are no rules to be taken away.
	var none ip.IP6Net
	err := rules.SetupAndEnsureMasqRules(ctx, config.Network, own.Subnet, config.Network, none, none, none, own,
		ruleResyncSeconds, false)
	if err != nil {
		return err
	}
	rules.SetupAndEnsureForwardRules(ctx, config.Network, none, ruleResyncSeconds)
	return nil
}

func writeCNIConf(o options, config *subnet.Config, network backend.Network) error {
	template, err := os.ReadFile(o.cniTemplate)
	if err != nil {
		return err
	}
	content := strings.NewReplacer(
		"$NETWORK", config.Network.String(),
		"$SUBNET", network.Lease().Subnet.String(),
		`"$MTU"`, strconv.Itoa(network.MTU()),
	).Replace(string(template))
	if err := os.MkdirAll(filepath.Dir(o.cniConf), 0o755); err != nil {
		return err
	}
	// Container runtimes watch the folder and take what they find there at once.
	temporary := filepath.Join(filepath.Dir(o.cniConf), ".flannel.tmp")
	if err := os.WriteFile(temporary, []byte(content), 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, o.cniConf)
}
