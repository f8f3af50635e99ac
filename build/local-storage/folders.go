package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"syscall"

	v1 "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const (
	provisionerName = "usernetes/local"
	selectedNode    = "volume.kubernetes.io/selected-node"
	hostname        = "kubernetes.io/hostname"
	// Containers run as users that nobody knows beforehand; other users of the host cannot reach the folder above.
	mode = 0o777
)

// The name that the library makes of a claim's UID, and the only kind of name that becomes a folder's.
var volumeName = regexp.MustCompile(`^pvc-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// folders is a provisioner whose volumes are folders of this node.
type folders struct {
	node string
	// Where volumes are, as the kubelet knows it; the same folder as root, which no name leads out of.
	path string
	root *os.Root
}

var (
	_ controller.BlockProvisioner = &folders{}
	_ controller.Qualifier        = &folders{}
	_ controller.DeletionGuard    = &folders{}
)

func (f *folders) ShouldProvision(_ context.Context, claim *v1.PersistentVolumeClaim) bool {
	return claim.Annotations[selectedNode] == f.node
}

func (f *folders) ShouldDelete(_ context.Context, volume *v1.PersistentVolume) bool {
	return nodeOf(volume) == f.node
}

// SupportsBlock lets claims for devices through to Provision, which says what to do instead.
func (f *folders) SupportsBlock(context.Context) bool { return true }

func (f *folders) Provision(
	_ context.Context, options controller.ProvisionOptions,
) (*v1.PersistentVolume, controller.ProvisioningState, error) {
	if err := refusal(options.PVC, options.StorageClass); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	if options.SelectedNodeName != f.node || !volumeName.MatchString(options.PVName) {
		return nil, controller.ProvisioningFinished, &controller.IgnoredError{Reason: "it is not for this node"}
	}
	if err := f.make(options.PVName); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	return f.volume(options), controller.ProvisioningFinished, nil
}

func (f *folders) make(name string) error {
	err := f.root.Mkdir(name, mode)
	if err == nil || errors.Is(err, fs.ErrExist) {
		err = f.root.Chmod(name, mode)
	}
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w; fix: free space on the disk of the node's state folder", err)
	}
	return err
}

func (f *folders) volume(options controller.ProvisionOptions) *v1.PersistentVolume {
	fileSystem := v1.PersistentVolumeFilesystem
	reclaim := v1.PersistentVolumeReclaimDelete
	if options.StorageClass.ReclaimPolicy != nil {
		reclaim = *options.StorageClass.ReclaimPolicy
	}
	spec := options.PVC.Spec
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: v1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: reclaim,
			AccessModes:                   spec.AccessModes,
			VolumeMode:                    &fileSystem,
			Capacity:                      v1.ResourceList{v1.ResourceStorage: spec.Resources.Requests[v1.ResourceStorage]},
			PersistentVolumeSource: v1.PersistentVolumeSource{
				Local: &v1.LocalVolumeSource{Path: path.Join(f.path, options.PVName)},
			},
			NodeAffinity: &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{
				NodeSelectorTerms: []v1.NodeSelectorTerm{{MatchExpressions: []v1.NodeSelectorRequirement{
					{Key: hostname, Operator: v1.NodeSelectorOpIn, Values: []string{f.node}},
				}}},
			}},
		},
	}
}

// Delete removes a folder, files of all users included. Only what Provision can have made is removed.
func (f *folders) Delete(_ context.Context, volume *v1.PersistentVolume) error {
	name := volume.Name
	local := volume.Spec.Local
	if nodeOf(volume) != f.node {
		return &controller.IgnoredError{Reason: "it is a volume of another node"}
	}
	if !volumeName.MatchString(name) || local == nil || local.Path != path.Join(f.path, name) {
		return fmt.Errorf("%s is no folder of %s; fix: remove it by hand, then kubectl patch persistentvolume %s "+
			`--type=merge -p '{"metadata":{"finalizers":null}}'`, name, f.path, name)
	}
	return f.root.RemoveAll(name)
}

// nodeOf is the node that a volume of ours is on, or empty.
func nodeOf(volume *v1.PersistentVolume) string {
	affinity := volume.Spec.NodeAffinity
	if affinity == nil || affinity.Required == nil || len(affinity.Required.NodeSelectorTerms) != 1 {
		return ""
	}
	expressions := affinity.Required.NodeSelectorTerms[0].MatchExpressions
	if len(expressions) != 1 || expressions[0].Key != hostname || len(expressions[0].Values) != 1 {
		return ""
	}
	return expressions[0].Values[0]
}

// refusal says why there can be no such volume, and what can be done about it; nil if there can.
func refusal(claim *v1.PersistentVolumeClaim, class *storage.StorageClass) error {
	spec := claim.Spec
	for _, mode := range spec.AccessModes {
		if mode != v1.ReadWriteOnce && mode != v1.ReadWriteOncePod {
			return fmt.Errorf("%s is not possible: the volume is a folder of one node; fix: ask for ReadWriteOnce, by "+
				"which all pods of that node share it, or ReadWriteOncePod", mode)
		}
	}
	switch {
	case spec.VolumeMode != nil && *spec.VolumeMode == v1.PersistentVolumeBlock:
		return errors.New("volumeMode Block is not possible: the volume is a folder; fix: ask for volumeMode Filesystem")
	case spec.Selector != nil:
		return errors.New("a selector finds volumes that exist, and this class makes new ones; " +
			"fix: remove the selector, or set storageClassName to \"\"")
	case spec.DataSource != nil || spec.DataSourceRef != nil:
		return errors.New("a new volume is empty: copies and snapshots are not possible; " +
			"fix: remove dataSource and dataSourceRef, and copy the data by a pod")
	case len(class.Parameters) > 0:
		return fmt.Errorf("class %s has parameters that do not exist: %s; fix: use a class without parameters, such as local",
			class.Name, strings.Join(slices.Sorted(maps.Keys(class.Parameters)), ", "))
	case len(class.MountOptions) > 0:
		return fmt.Errorf("class %s has mountOptions, but a folder is not mounted; fix: use a class without them, such as local",
			class.Name)
	}
	return nil
}
