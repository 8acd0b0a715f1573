// go.go - the bench's workloads on goroutines and channels.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	producers = 100
	seats     = 500
	wave      = 1000
	asked     = 1000
)

type meter struct {
	seconds, cpu float64
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Sec+usage.Stime.Sec) + float64(usage.Utime.Usec+usage.Stime.Usec)/1e6
}

// Measures what run does.
func (m *meter) measure(run func() uint64) uint64 {
	cpu, start := cpuSeconds(), time.Now()
	arrived := run()
	m.seconds, m.cpu = time.Since(start).Seconds(), cpuSeconds()-cpu
	return arrived
}

func resident() uint64 {
	text, _ := os.ReadFile("/proc/self/statm")
	pages, _ := strconv.ParseUint(strings.Fields(string(text))[1], 10, 64)
	return pages * uint64(os.Getpagesize())
}

type ball struct{ left, arrived uint64 }

func ring(m *meter, count int, hops uint64) uint64 {
	channels := make([]chan ball, count)
	for i := range channels {
		channels[i] = make(chan ball, 1)
	}
	done := make(chan uint64)
	for i := range channels {
		go func(in, out chan ball) {
			for b := range in {
				if b.left == 0 {
					done <- b.arrived
					return
				}
				out <- ball{b.left - 1, b.arrived + 1}
			}
		}(channels[i], channels[(i+1)%count])
	}
	return m.measure(func() uint64 {
		channels[0] <- ball{hops, 0}
		return <-done
	})
}

type ints struct{ a, b, c int32 }
type block [8]uint64

func stream(m *meter, many int, count uint64) uint64 {
	channel := make(chan ints, 1024)
	each := count / uint64(many)
	start := make(chan bool)
	for i := 0; i < many; i++ {
		go func(number int32) {
			<-start
			for n := uint64(0); n < each; n++ {
				channel <- ints{number, int32(n), 1}
			}
		}(int32(i))
	}
	return m.measure(func() uint64 {
		close(start)
		arrived := uint64(0)
		for arrived < each*uint64(many) {
			arrived += uint64((<-channel).c)
		}
		return arrived
	})
}

func blocks(m *meter, count uint64) uint64 {
	channel := make(chan block, 1024)
	start := make(chan bool)
	go func() {
		<-start
		for n := uint64(0); n < count; n++ {
			channel <- block{0, n, 0, 0, 0, 0, 0, 1}
		}
	}()
	return m.measure(func() uint64 {
		close(start)
		arrived := uint64(0)
		for arrived < count {
			b := <-channel
			arrived += b[7]
		}
		return arrived
	})
}

func spawn(m *meter, count uint64) uint64 {
	return m.measure(func() uint64 {
		arrived := uint64(0)
		done := make(chan uint64, wave)
		for arrived < count {
			size := count - arrived
			if size > wave {
				size = wave
			}
			for i := uint64(0); i < size; i++ {
				first := make(chan uint64, 1)
				go func() { done <- <-first }()
				first <- 1
			}
			for i := uint64(0); i < size; i++ {
				arrived += <-done
			}
		}
		return arrived
	})
}

func gather(m *meter, rounds uint64) uint64 {
	answers := make(chan uint64, asked)
	channels := make([]chan uint64, asked)
	for i := range channels {
		channels[i] = make(chan uint64, 1)
		go func(in chan uint64) {
			for question := range in {
				answers <- question
			}
		}(channels[i])
	}
	return m.measure(func() uint64 {
		arrived := uint64(0)
		for round := uint64(0); round < rounds; round++ {
			for i := range channels {
				channels[i] <- round
			}
			for range channels {
				if <-answers == round {
					arrived++
				}
			}
		}
		return arrived
	})
}

// Goroutines that wait for their first message.
func idle(m *meter, count uint64) (uint64, uint64) {
	before := resident()
	first := make(chan uint64)
	started := make(chan bool, 1024)
	arrived := m.measure(func() uint64 {
		for i := uint64(0); i < count; i++ {
			go func() { started <- true; <-first }()
		}
		for i := uint64(0); i < count; i++ {
			<-started
		}
		return count
	})
	return arrived, resident() - before
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: go WORKLOAD VARIANT N")
		os.Exit(2)
	}
	workload, variant := os.Args[1], os.Args[2]
	count, _ := strconv.ParseUint(os.Args[3], 10, 64)
	if workload == "W3" {
		count -= count % producers // each sends as many
	}
	var m meter
	var arrived, rss uint64
	switch {
	case workload == "W1":
		arrived = ring(&m, 2, count*2)
	case workload == "W2" && strings.Contains(variant, "64B"):
		arrived = blocks(&m, count)
	case workload == "W2":
		arrived = stream(&m, 1, count)
	case workload == "W3":
		arrived = stream(&m, producers, count)
	case workload == "W4":
		arrived = ring(&m, seats, count)
	case workload == "W5" && variant == "idle":
		arrived, rss = idle(&m, count)
	case workload == "W5":
		arrived = spawn(&m, count)
	case workload == "W6":
		arrived = gather(&m, count)
	default:
		fmt.Fprintf(os.Stderr, "no workload '%s %s' here\n", workload, variant)
		os.Exit(3)
	}
	if rss == 0 {
		rss = resident()
	}
	fmt.Printf("{\"ops\": %d, \"seconds\": %.9f, \"cpu_seconds\": %.9f, \"rss_bytes\": %d, "+
		"\"arrived\": %d}\n", count, m.seconds, m.cpu, rss, arrived)
}
