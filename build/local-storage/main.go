// Command local-storage makes and removes the volumes of one node: folders below the state of its instance, for claims
// whose pod the scheduler has placed on this node. Claims and volumes of other nodes are theirs.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "how to reach the API")
	nodeName := flag.String("node-name", "", "this node")
	folder := flag.String("folder", "", "where the volumes are")
	health := flag.String("health", "", "unix socket on which to answer that it lives")
	flag.Parse()

	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, *kubeconfig, *nodeName, *folder, *health); err != nil && ctx.Err() == nil {
		klog.Exitf("local-storage: %v", err)
	}
}

func run(ctx context.Context, kubeconfig, nodeName, folder, health string) error {
	if err := serveHealth(health); err != nil {
		return err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 50, 100
	config.ContentType = runtime.ContentTypeProtobuf
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	if err := waitForNode(ctx, client, nodeName); err != nil {
		return err
	}
	provisioner := &folders{node: nodeName, path: folder, root: root}
	controller.NewProvisionController(ctx, client, provisionerName, provisioner,
		controller.LeaderElection(false),
		// Also volumes that are deleted before their claim take their data with them.
		controller.AddFinalizer(true),
		controller.Threadiness(2),
		controller.FailedProvisionThreshold(0),
		controller.FailedDeleteThreshold(0),
		controller.RateLimiter(slower(time.Second, 5*time.Minute)),
		controller.CreateProvisionedPVLimiter(slower(250*time.Millisecond, time.Minute)),
	).Run(ctx)
	return nil
}

func slower(first, last time.Duration) workqueue.TypedRateLimiter[string] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[string](first, last)
}

func serveHealth(path string) error {
	// Left by one that was killed.
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	go func() { _ = (&http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}).Serve(listener) }()
	return nil
}

// waitForNode returns when the node is Ready in this life of its namespaces: until then all that starts with it has other
// work to do, and no pod waits for a volume.
func waitForNode(ctx context.Context, client kubernetes.Interface, name string) error {
	since, err := beginOfLife()
	if err != nil {
		return err
	}
	for wait := 250 * time.Millisecond; ; wait = min(wait*5/4, 2*time.Second) {
		node, err := client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err == nil && isReady(node, since) {
			return nil
		}
		if err != nil {
			klog.Infof("waiting for node %s: %v", name, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

func isReady(node *v1.Node, since time.Time) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == v1.NodeReady && condition.Status == v1.ConditionTrue {
			return condition.LastHeartbeatTime.After(since)
		}
	}
	return false
}

// beginOfLife is when the first process of the namespaces started.
func beginOfLife() (time.Time, error) {
	const ticksPerSecond = 100 // in /proc, of every architecture that Go knows
	stat, err := os.ReadFile("/proc/1/stat")
	if err != nil {
		return time.Time{}, err
	}
	uptime, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return time.Time{}, err
	}
	// The command, in parentheses, may contain anything; the start is the 20th field after it.
	_, rest, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')'):]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 20 {
		return time.Time{}, fmt.Errorf("/proc/1/stat has %d fields after the command", len(fields))
	}
	started, err := strconv.ParseFloat(fields[19], 64)
	if err != nil {
		return time.Time{}, err
	}
	up, err := strconv.ParseFloat(strings.Fields(string(uptime))[0], 64)
	if err != nil {
		return time.Time{}, err
	}
	age := time.Duration((up - started/ticksPerSecond) * float64(time.Second))
	// The API has whole seconds.
	return time.Now().Add(-age).Add(-time.Second), nil
}
