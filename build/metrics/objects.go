package main

import (
	"fmt"
	"time"
)

// The objects of metrics.k8s.io/v1beta1, as k8s.io/metrics has them.

type metrics struct {
	Kind       string             `json:"kind"`
	APIVersion string             `json:"apiVersion"`
	Metadata   metadata           `json:"metadata"`
	At         time.Time          `json:"-"`
	Timestamp  string             `json:"timestamp"`
	Window     string             `json:"window"`
	Usage      *amounts           `json:"usage,omitempty"`
	Containers []containerMetrics `json:"containers,omitempty"`
	// The sum.
	of use
}

type metadata struct {
	Name      string            `json:"name,omitempty"`
	Namespace string            `json:"namespace,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
	Created   string            `json:"creationTimestamp,omitempty"`
}

type containerMetrics struct {
	Name  string  `json:"name"`
	Usage amounts `json:"usage"`
}

// Quantities of Kubernetes.
type amounts struct {
	CPU    string `json:"cpu"`
	Memory string `json:"memory"`
}

func (u use) amounts() amounts {
	return amounts{CPU: fmt.Sprintf("%dn", u.CPU), Memory: fmt.Sprintf("%dKi", u.Memory>>10)}
}

func (m *metrics) describe(o object, now time.Time) {
	m.APIVersion = groupVersion
	m.Metadata = metadata{o.Metadata.Name, o.Metadata.Namespace, o.Metadata.Labels, now.UTC().Format(time.RFC3339)}
	m.Timestamp = m.At.UTC().Format(time.RFC3339)
	m.Window = m.of.Window.Round(time.Millisecond).String()
}

func listOf(resource string, items []metrics) any {
	kind := map[string]string{"nodes": "NodeMetricsList", "pods": "PodMetricsList"}[resource]
	return map[string]any{"kind": kind, "apiVersion": groupVersion, "metadata": struct{}{}, "items": items}
}

type column struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Format      string `json:"format"`
	Description string `json:"description"`
	Priority    int    `json:"priority"`
}

// tableOf is what `kubectl get` prints.
func tableOf(items []metrics) any {
	rows := make([]any, 0, len(items))
	for _, m := range items {
		rows = append(rows, map[string]any{
			"cells": []string{m.Metadata.Name, fmt.Sprintf("%dm", m.of.CPU/1e6), fmt.Sprintf("%dMi", m.of.Memory>>20), m.Window},
			"object": map[string]any{
				"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": m.Metadata,
			},
		})
	}
	return map[string]any{
		"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": struct{}{}, "rows": rows,
		"columnDefinitions": []column{
			{Name: "Name", Type: "string", Format: "name"},
			{Name: "CPU", Type: "string", Description: "thousandths of a processor"},
			{Name: "Memory", Type: "string"},
			{Name: "Window", Type: "string", Description: "time over which the use of processors was measured"},
		},
	}
}

var served = map[string]string{"groupVersion": groupVersion, "version": "v1beta1"}

var apiGroup = map[string]any{
	"kind": "APIGroup", "apiVersion": "v1", "name": group,
	"versions": []any{served}, "preferredVersion": served,
}

var resources = map[string]any{
	"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": groupVersion,
	"resources": []any{
		map[string]any{"name": "nodes", "singularName": "", "namespaced": false, "kind": "NodeMetrics", "verbs": []string{"get", "list"}},
		map[string]any{"name": "pods", "singularName": "", "namespaced": true, "kind": "PodMetrics", "verbs": []string{"get", "list"}},
	},
}
