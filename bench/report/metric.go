package report

// Title is what m is called in the head of a table, and its unit.
func (m Metric) Title() (name, unit string) {
	switch m {
	case CPU:
		return "CPU", "s/GB"
	case CPUEach:
		return "CPU", "us/conn"
	case Throughput:
		return "delivered", "MB/s"
	case Messages:
		return "messages", "1/s"
	case Rate:
		return "connects", "1/s"
	case Memory:
		return "peak RSS", "+MiB"
	case MemoryEach:
		return "RSS", "KiB/conn"
	case First:
		return "first", "ms"
	case P50, P99, P999:
		return string(m), "ms"
	case Slower:
		return "slower", "x"
	case Drained:
		return "drained", "x"
	case Wire:
		return "wire", "B/B"
	case Failed:
		return "failed", "connects"
	}
	return string(m), ""
}

// compared reports whether m is one of those that peers are held against each other by.
func (m Metric) compared() bool {
	return m == CPU || m == CPUEach || m == MemoryEach || m == P99
}

// follows reports whether the spread of m says nothing that another's does not.
func (m Metric) follows() bool { return m == Messages || m == Wire || m == Failed }
