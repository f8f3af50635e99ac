package main

import (
	"context"
	"time"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// Of many changes at once all but the first wait for the others.
const pause = 20 * time.Millisecond

// watcher follows the cluster. Of pods and namespaces it knows nothing until there is a policy.
type watcher struct {
	node                       string
	core                       *rest.RESTClient
	changed                    chan struct{}
	policies, pods, namespaces cache.SharedIndexInformer
}

func watch(ctx context.Context, kubeconfig, node string) (*watcher, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	ofCore, err := clientOf(config, "/api", core.SchemeGroupVersion, core.AddToScheme)
	if err != nil {
		return nil, err
	}
	ofNetworking, err := clientOf(config, "/apis", networking.SchemeGroupVersion, networking.AddToScheme)
	if err != nil {
		return nil, err
	}
	w := &watcher{node: node, core: ofCore, changed: make(chan struct{}, 1)}
	w.policies, err = w.follow(ctx, ofNetworking, "networkpolicies", &networking.NetworkPolicy{})
	return w, err
}

// clientOf is one of a single group: that of all of Kubernetes takes several times the memory.
func clientOf(
	config *rest.Config, path string, group schema.GroupVersion, add func(*runtime.Scheme) error,
) (*rest.RESTClient, error) {
	scheme := runtime.NewScheme()
	if err := add(scheme); err != nil {
		return nil, err
	}
	meta.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	own := rest.CopyConfig(config)
	own.APIPath, own.GroupVersion = path, &group
	own.ContentType = runtime.ContentTypeProtobuf
	own.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	return rest.RESTClientFor(own)
}

func (w *watcher) follow(
	ctx context.Context, client *rest.RESTClient, resource string, object runtime.Object,
) (cache.SharedIndexInformer, error) {
	source := cache.NewListWatchFromClient(client, resource, meta.NamespaceAll, fields.Everything())
	informer := cache.NewSharedIndexInformer(source, object, 0, cache.Indexers{})
	if err := informer.SetTransform(trim); err != nil {
		return nil, err
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { w.notify() },
		UpdateFunc: func(any, any) { w.notify() },
		DeleteFunc: func(any) { w.notify() },
	})
	if err != nil {
		return nil, err
	}
	go informer.RunWithContext(ctx)
	return informer, nil
}

func (w *watcher) notify() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// again has the next wait for no change, but for a while.
func (w *watcher) again(after time.Duration) { time.AfterFunc(after, w.notify) }

// next waits for a change and returns what is there after it. The first one follows as soon as all is known.
func (w *watcher) next(ctx context.Context) (cluster, error) {
	first := !w.policies.HasSynced()
	if first && !cache.WaitForCacheSync(ctx.Done(), w.policies.HasSynced) {
		return cluster{}, ctx.Err()
	}
	if !first {
		select {
		case <-ctx.Done():
			return cluster{}, ctx.Err()
		case <-w.changed:
		}
	}
	select {
	case <-ctx.Done():
		return cluster{}, ctx.Err()
	case <-time.After(pause):
	}
	found := cluster{node: w.node, policies: list[*networking.NetworkPolicy](w.policies)}
	if len(found.policies) == 0 {
		return found, nil
	}
	if err := w.followAll(ctx); err != nil {
		return cluster{}, err
	}
	found.pods, found.namespaces = list[*core.Pod](w.pods), list[*core.Namespace](w.namespaces)
	return found, nil
}

func (w *watcher) followAll(ctx context.Context) error {
	if w.pods != nil {
		return nil
	}
	var err error
	if w.namespaces, err = w.follow(ctx, w.core, "namespaces", &core.Namespace{}); err != nil {
		return err
	}
	if w.pods, err = w.follow(ctx, w.core, "pods", &core.Pod{}); err != nil {
		return err
	}
	if !cache.WaitForCacheSync(ctx.Done(), w.namespaces.HasSynced, w.pods.HasSynced) {
		return ctx.Err()
	}
	return nil
}

func list[T any](informer cache.SharedIndexInformer) []T {
	objects := informer.GetStore().List()
	found := make([]T, len(objects))
	for i, object := range objects {
		found[i] = object.(T)
	}
	return found
}

// trim forgets what policies do not go by.
func trim(object any) (any, error) {
	switch of := object.(type) {
	case *core.Pod:
		return &core.Pod{
			ObjectMeta: identity(of.ObjectMeta),
			Spec: core.PodSpec{
				NodeName:       of.Spec.NodeName,
				HostNetwork:    of.Spec.HostNetwork,
				Containers:     ports(of.Spec.Containers),
				InitContainers: ports(of.Spec.InitContainers),
			},
			Status: core.PodStatus{Phase: of.Status.Phase, PodIPs: of.Status.PodIPs},
		}, nil
	case *core.Namespace:
		return &core.Namespace{ObjectMeta: identity(of.ObjectMeta)}, nil
	case *networking.NetworkPolicy:
		return &networking.NetworkPolicy{ObjectMeta: identity(of.ObjectMeta), Spec: of.Spec}, nil
	}
	return object, nil
}

func identity(of meta.ObjectMeta) meta.ObjectMeta {
	return meta.ObjectMeta{
		Name: of.Name, Namespace: of.Namespace, UID: of.UID, ResourceVersion: of.ResourceVersion, Labels: of.Labels,
	}
}

func ports(containers []core.Container) []core.Container {
	var some []core.Container
	for _, container := range containers {
		if len(container.Ports) > 0 {
			some = append(some, core.Container{Ports: container.Ports})
		}
	}
	return some
}
