package relay

// newInit begins a new init segment in place of the old one.
func (st *Stream) newInit() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.init = nil
}

// addInit remembers that c belongs to the init segment, while that is no larger than maxInitBytes.
func (st *Stream) addInit(c *Chunk) {
	st.mu.Lock()
	defer st.mu.Unlock()
	c.lend()
	size := len(c.Data)
	for _, o := range st.init {
		size += len(o.Data)
	}
	if size > maxInitBytes {
		st.init = nil
		return
	}
	st.init = append(st.init, &Chunk{Offset: c.Offset, Data: c.Data, Init: true})
}

// initAt is where the newest init segment stands; -1 if there is none.
func (st *Stream) initAt() int64 {
	if len(st.init) == 0 {
		return -1
	}
	return st.init[0].Offset
}
