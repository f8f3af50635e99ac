# The targets of the second-generation Usernetes. `u7s make` does the work and reads the same variables: NODE_NAME HOST_IP
# NODE_SUBNET PORT_KUBE_APISERVER PORT_KUBELET PORT_FLANNEL PORT_ETCD CONTAINER_ENGINE. See docs/image.md.
VERBS := up down down-v kubeadm-init install-flannel kubeconfig join-command kubeadm-join sync-external-ip kubeadm-reset logs shell

.PHONY: help $(VERBS)
.NOTPARALLEL:

help $(VERBS):
	@root='$(CURDIR)'; . ./bin/bootstrap.sh; u7s make $@

# One archive that needs nothing else; see docs/offline.md.
.PHONY: bundle
bundle:
	@root='$(CURDIR)'; . ./bin/bootstrap.sh; u7s bundle create -o usernetes-$$(uname -m).tbz
