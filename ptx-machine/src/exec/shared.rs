//! The shared memory of a block, and which of its bytes were written.

pub(super) struct SharedMemory {
    bytes: Vec<u8>,
    /// One for each byte that was written.
    valid: Vec<u8>,
}

impl SharedMemory {
    pub fn new(length: u32) -> Self {
        Self { bytes: vec![0; length as usize], valid: vec![0; length as usize] }
    }

    pub fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The caller has checked the bounds.
    pub fn load(&self, offset: u64, size: u32) -> u64 {
        read(&self.bytes[offset as usize..], size)
    }

    /// The caller has checked the bounds.
    pub fn store(&mut self, offset: u64, size: u32, value: u64) {
        write(&mut self.bytes[offset as usize..], size, value);
        self.valid[offset as usize..][..size as usize].fill(1);
    }

    pub fn is_valid(&self, offset: u64, size: u64) -> bool {
        self.valid[offset as usize..][..size as usize].iter().all(|&byte| byte == 1)
    }
}

/// Up to 8 little-endian bytes.
pub(super) fn read(bytes: &[u8], size: u32) -> u64 {
    let mut word = [0; 8];
    word[..size as usize].copy_from_slice(&bytes[..size as usize]);
    u64::from_le_bytes(word)
}

pub(super) fn write(bytes: &mut [u8], size: u32, value: u64) {
    bytes[..size as usize].copy_from_slice(&value.to_le_bytes()[..size as usize]);
}
