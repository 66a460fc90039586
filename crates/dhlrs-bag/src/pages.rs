//! An array of slots in pages, shared between snapshots: cloning is O(1), and the first write to a
//! page after that copies the page and the three nodes above it.

use triomphe::Arc;

const PAGE_BITS: u32 = 5;
const FAN_BITS: u32 = 6;
const PAGE: usize = 1 << PAGE_BITS;
const FAN: usize = 1 << FAN_BITS;

/// No slot.
pub(crate) const NONE: u32 = u32::MAX;

type Page<T> = Arc<[T; PAGE]>;
type Low<T> = Arc<[Option<Page<T>>; FAN]>;
type High<T> = Arc<[Option<Low<T>>; FAN]>;

pub(crate) struct Pages<T> {
    top: Arc<Vec<High<T>>>,
    len: u32,
}

impl<T> Clone for Pages<T> {
    fn clone(&self) -> Self {
        Self {
            top: self.top.clone(),
            len: self.len,
        }
    }
}

/// What a page holds.
pub(crate) trait Item: Clone + Default {
    /// How many share what a copy of it would share with it.
    fn shared(&self) -> usize {
        0
    }
}

impl<T: Item> Pages<T> {
    pub(crate) fn new() -> Self {
        Self {
            top: Arc::new(Vec::new()),
            len: 0,
        }
    }

    #[inline]
    pub(crate) fn get(&self, at: u32) -> Option<&T> {
        let high = self.top.get((at >> (PAGE_BITS + 2 * FAN_BITS)) as usize)?;
        let low = high[(at >> (PAGE_BITS + FAN_BITS)) as usize % FAN].as_ref()?;
        let page = low[(at >> PAGE_BITS) as usize % FAN].as_ref()?;
        Some(&page[at as usize % PAGE])
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        let top = Arc::make_mut(&mut self.top);
        let high = top.get_mut((at >> (PAGE_BITS + 2 * FAN_BITS)) as usize)?;
        warm(high, &**high);
        let low = &mut Arc::make_mut(high)[(at >> (PAGE_BITS + FAN_BITS)) as usize % FAN];
        let low = low.as_mut()?;
        warm(low, &**low);
        let page = &mut Arc::make_mut(low)[(at >> PAGE_BITS) as usize % FAN];
        let page = page.as_mut()?;
        if !page.is_unique() {
            let counts = page.iter().map(T::shared);
            std::hint::black_box(counts.fold(0, usize::wrapping_add));
        }
        Some(&mut Arc::make_mut(page)[at as usize % PAGE])
    }

    /// The page that a slot is in, and the number of its first slot.
    #[inline]
    pub(crate) fn page(&self, at: u32) -> Option<(u32, &[T])> {
        let high = self.top.get((at >> (PAGE_BITS + 2 * FAN_BITS)) as usize)?;
        let low = high[(at >> (PAGE_BITS + FAN_BITS)) as usize % FAN].as_ref()?;
        let page = low[(at >> PAGE_BITS) as usize % FAN].as_ref()?;
        Some((at - at % PAGE as u32, page.as_slice()))
    }

    /// How many slots there are, and the number that the next one gets.
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// Adds a slot that no other one is; `None` when all numbers are taken.
    pub(crate) fn push(&mut self, value: T) -> Option<u32> {
        let at = self.len;
        *self.slot_to_be(at)? = value;
        self.len += 1;
        Some(at)
    }

    /// Adds empty slots beside one another, no more than a page holds, and says which is the first.
    pub(crate) fn grow(&mut self, slots: u32) -> Option<u32> {
        let first = self.len;
        let end = first.checked_add(slots)?;
        self.slot_to_be(first)?;
        self.slot_to_be(end.checked_sub(1)?)?;
        self.len = end;
        Some(first)
    }

    // A slot on the last page or on the one after it.
    fn slot_to_be(&mut self, at: u32) -> Option<&mut T> {
        if at == NONE {
            return None;
        }
        let top = Arc::make_mut(&mut self.top);
        let high = (at >> (PAGE_BITS + 2 * FAN_BITS)) as usize;
        if high == top.len() {
            top.push(Arc::new([const { None }; FAN]));
        }
        let low =
            &mut Arc::make_mut(top.get_mut(high)?)[(at >> (PAGE_BITS + FAN_BITS)) as usize % FAN];
        let low = low.get_or_insert_with(|| Arc::new([const { None }; FAN]));
        let page = &mut Arc::make_mut(low)[(at >> PAGE_BITS) as usize % FAN];
        let page = page.get_or_insert_with(|| Arc::new(std::array::from_fn(|_| T::default())));
        Some(&mut Arc::make_mut(page)[at as usize % PAGE])
    }
}

/// Reads the reference counts that a copy of `node` will raise one by one. Reads of far memory
/// overlap, and raises do not: a first write in a large tree takes half as long by this.
pub(crate) fn warm<N, T>(node: &Arc<N>, below: &[Option<Arc<T>>]) {
    if !node.is_unique() {
        let counts = below.iter().flatten().map(Arc::count);
        std::hint::black_box(counts.fold(0, usize::wrapping_add));
    }
}
