// Command crictl is a stand-in for the program of that name: of its commands it knows those that
// kubeadm runs, and lists pods, containers and images. It speaks CRI as the real one does.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"text/template"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "crictl:", err)
		os.Exit(1)
	}
}

// endpoint is the runtime's socket as /etc/crictl.yaml names it.
func endpoint() string {
	if file, err := os.Open("/etc/crictl.yaml"); err == nil {
		defer file.Close()
		for lines := bufio.NewScanner(file); lines.Scan(); {
			if value, ok := strings.CutPrefix(lines.Text(), "runtime-endpoint:"); ok {
				return strings.TrimSpace(value)
			}
		}
	}
	return "unix:///run/containerd/containerd.sock"
}

func run() error {
	global := flag.NewFlagSet("crictl", flag.ExitOnError)
	socket := global.String("r", endpoint(), "socket of the runtime")
	global.String("i", "", "socket of the image service: the runtime's")
	global.Bool("D", false, "ignored")
	global.Parse(os.Args[1:])

	command := flag.NewFlagSet(global.Arg(0), flag.ExitOnError)
	quiet := command.Bool("q", false, "identifiers only")
	command.Bool("a", true, "always: containers in every state")
	command.Bool("f", false, "always: remove what runs")
	command.String("o", "json", "form of the output")
	shape := command.String("template", "", "template of the output of info")
	if global.NArg() > 0 {
		command.Parse(global.Args()[1:])
	}

	address := *socket
	if strings.HasPrefix(address, "/") {
		address = "unix://" + address
	}
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	runtime, images := cri.NewRuntimeServiceClient(connection), cri.NewImageServiceClient(connection)

	switch global.Arg(0) {
	case "info":
		return info(ctx, runtime, *shape)
	case "pods":
		answer, err := runtime.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{})
		for _, pod := range answer.GetItems() {
			row(*quiet, pod.Id, pod.State, pod.Metadata.Namespace+"/"+pod.Metadata.Name)
		}
		return err
	case "ps":
		answer, err := runtime.ListContainers(ctx, &cri.ListContainersRequest{})
		for _, container := range answer.GetContainers() {
			row(*quiet, container.Id, container.State, container.Metadata.Name, container.PodSandboxId)
		}
		return err
	case "images":
		answer, err := images.ListImages(ctx, &cri.ListImagesRequest{})
		for _, image := range answer.GetImages() {
			row(*quiet, image.Id, strings.Join(image.RepoTags, " "))
		}
		return err
	case "stopp":
		return each(command.Args(), func(id string) error {
			_, err := runtime.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: id})
			return err
		})
	case "rmp":
		return each(command.Args(), func(id string) error {
			_, err := runtime.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: id})
			return err
		})
	case "inspecti":
		return each(command.Args(), func(name string) error {
			request := &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: name}}
			answer, err := images.ImageStatus(ctx, request)
			if err == nil && answer.Image == nil {
				err = fmt.Errorf("no such image: %s", name)
			}
			return err
		})
	case "pull":
		return each(command.Args(), func(name string) error {
			_, err := images.PullImage(ctx, &cri.PullImageRequest{Image: &cri.ImageSpec{Image: name}})
			return err
		})
	}
	return fmt.Errorf("this stand-in does not know the command %q", global.Arg(0))
}

// info prints what the runtime says about itself, or what a template takes out of it.
func info(ctx context.Context, runtime cri.RuntimeServiceClient, shape string) error {
	answer, err := runtime.Status(ctx, &cri.StatusRequest{Verbose: true})
	if err != nil {
		return err
	}
	all := map[string]any{"status": answer.Status}
	for key, text := range answer.Info {
		var value any = text
		_ = json.Unmarshal([]byte(text), &value)
		all[key] = value
	}
	if shape == "" {
		return json.NewEncoder(os.Stdout).Encode(all)
	}
	parsed, err := template.New("info").Parse(shape)
	if err != nil {
		return err
	}
	return parsed.Execute(os.Stdout, all)
}

func row(quiet bool, id string, rest ...any) {
	if quiet {
		fmt.Println(id)
		return
	}
	fmt.Println(append([]any{id}, rest...)...)
}

func each(names []string, act func(string) error) error {
	for _, name := range names {
		if err := act(name); err != nil {
			return err
		}
	}
	return nil
}
