//! The two file systems agree, and the twin forgets what it should.

use std::io::ErrorKind;
use std::path::Path;

use dhlrs_storage::{
    Fault, LockAttempt, MemoryVfs, OsVfs, SECTOR_BYTES, Survival, Vfs, VfsEntry, VfsFile as _,
};

fn read(vfs: &impl Vfs, path: &Path) -> Vec<u8> {
    let mut file = vfs.open(path).unwrap();
    let mut buffer = vec![0; file.len_bytes().unwrap() as usize + 10];
    let read = file.read_at(0, &mut buffer).unwrap();
    buffer.truncate(read);
    buffer
}

fn behaves_like_a_file_system<V: Vfs>(vfs: &V, dir: &Path) {
    let (a, b, sub) = (dir.join("a"), dir.join("b"), dir.join("sub"));
    assert_eq!(
        vfs.open(&a).err().map(|e| e.kind()),
        Some(ErrorKind::NotFound)
    );
    assert_eq!(
        vfs.remove(&a).err().map(|e| e.kind()),
        Some(ErrorKind::NotFound)
    );
    assert_eq!(
        vfs.rename(&a, &b).err().map(|e| e.kind()),
        Some(ErrorKind::NotFound)
    );
    assert_eq!(
        vfs.create(&sub.join("x")).err().map(|e| e.kind()),
        Some(ErrorKind::NotFound)
    );
    assert_eq!(
        vfs.list(&sub).err().map(|e| e.kind()),
        Some(ErrorKind::NotFound)
    );
    assert_eq!(
        vfs.create_dir(&sub.join("x")).err().map(|e| e.kind()),
        Some(ErrorKind::NotFound)
    );

    let mut file = vfs.create(&a).unwrap();
    file.append(b"0123456789").unwrap();
    let mut three = [0; 3];
    assert_eq!(file.read_at(4, &mut three).unwrap(), 3);
    assert_eq!(&three, b"456");
    assert_eq!(file.read_at(9, &mut three).unwrap(), 1);
    assert_eq!(file.read_at(99, &mut three).unwrap(), 0);
    file.append(b"ab").unwrap();
    file.truncate(11).unwrap();
    file.append(b"!").unwrap();
    file.sync().unwrap();
    assert_eq!(
        (file.len_bytes().unwrap(), read(vfs, &a)),
        (12, b"0123456789a!".to_vec())
    );

    vfs.rename(&a, &b).unwrap();
    // The handle follows the file, not the name.
    file.append(b"?").unwrap();
    assert_eq!(read(vfs, &b), b"0123456789a!?");
    vfs.create(&a).unwrap().append(b"new").unwrap();
    vfs.rename(&a, &b).unwrap();
    assert_eq!(read(vfs, &b), b"new");
    assert_eq!(
        read(vfs, &{
            drop(vfs.create(&b).unwrap());
            b.clone()
        }),
        b""
    );

    vfs.create_dir(&sub).unwrap();
    assert_eq!(
        vfs.create_dir(&sub).err().map(|e| e.kind()),
        Some(ErrorKind::AlreadyExists)
    );
    vfs.sync_dir(dir).unwrap();
    let entry = |name: &str, is_dir| VfsEntry {
        name: name.to_owned(),
        is_dir,
    };
    assert_eq!(
        vfs.list(dir).unwrap(),
        [entry("b", false), entry("sub", true)]
    );
    vfs.remove(&b).unwrap();
    assert_eq!(vfs.list(dir).unwrap(), [entry("sub", true)]);

    let lock = dir.join("LOCK");
    let LockAttempt::Held(held) = vfs.lock(&lock).unwrap() else {
        panic!("free")
    };
    let LockAttempt::Busy { holder } = vfs.lock(&lock).unwrap() else {
        panic!("taken")
    };
    assert_eq!(holder, Some(std::process::id()));
    drop(held);
    assert!(matches!(vfs.lock(&lock).unwrap(), LockAttempt::Held(_)));
}

#[test]
fn the_twin_behaves_like_a_file_system() {
    behaves_like_a_file_system(&MemoryVfs::new(), Path::new(""));
}

#[test]
fn real_files_do_too() {
    let dir = tempfile::tempdir().unwrap();
    behaves_like_a_file_system(&OsVfs::new(), dir.path());
}

fn write(vfs: &MemoryVfs, path: &str, bytes: &[u8]) {
    let mut file = vfs.create(Path::new(path)).unwrap();
    file.append(bytes).unwrap();
    file.sync().unwrap();
}

#[test]
fn names_are_lost_with_the_power_until_their_directory_is_synced() {
    let vfs = MemoryVfs::new();
    let root = Path::new("");
    let names = |vfs: &MemoryVfs| -> Vec<String> {
        vfs.list(root)
            .unwrap()
            .into_iter()
            .map(|entry| entry.name)
            .collect()
    };
    write(&vfs, "kept", b"1");
    vfs.sync_dir(root).unwrap();
    write(&vfs, "made", b"2");
    vfs.rename(Path::new("kept"), Path::new("renamed")).unwrap();
    assert_eq!(names(&vfs), ["made", "renamed"]);
    vfs.power_loss(Survival::SyncedOnly);
    assert_eq!(names(&vfs), ["kept"]);
    vfs.remove(Path::new("kept")).unwrap();
    vfs.power_loss(Survival::SyncedOnly);
    assert_eq!(vfs.read(Path::new("kept")).unwrap(), b"1");
    vfs.remove(Path::new("kept")).unwrap();
    vfs.sync_dir(root).unwrap();
    vfs.power_loss(Survival::SyncedOnly);
    assert_eq!(names(&vfs).len(), 0);
}

#[test]
fn bytes_are_lost_with_the_power_until_they_are_synced() {
    let vfs = MemoryVfs::new();
    write(&vfs, "f", b"saved");
    vfs.sync_dir(Path::new("")).unwrap();
    let mut file = vfs.open(Path::new("f")).unwrap();
    file.append(b" more").unwrap();
    vfs.power_loss(Survival::SyncedOnly);
    assert_eq!(vfs.read(Path::new("f")).unwrap(), b"saved");
    assert!(file.append(b"x").is_err(), "a handle from before");

    let mut file = vfs.open(Path::new("f")).unwrap();
    file.truncate(2).unwrap();
    file.append(b"X").unwrap();
    assert_eq!(vfs.read(Path::new("f")).unwrap(), b"saX");
    vfs.power_loss(Survival::SyncedOnly);
    assert_eq!(vfs.read(Path::new("f")).unwrap(), b"saved");
}

#[test]
fn a_failed_sync_leaves_pages_that_a_later_sync_does_not_save() {
    let vfs = MemoryVfs::new();
    write(&vfs, "f", b"saved");
    vfs.sync_dir(Path::new("")).unwrap();
    let mut file = vfs.open(Path::new("f")).unwrap();
    file.append(b"lost").unwrap();
    vfs.fail(vfs.counts().operations + 1, Fault::Sync);
    assert!(file.sync().is_err());
    file.append(b"after").unwrap();
    file.sync().unwrap();
    assert_eq!(vfs.read(Path::new("f")).unwrap(), b"savedlostafter");
    vfs.power_loss(Survival::SyncedOnly);
    assert_eq!(vfs.read(Path::new("f")).unwrap(), b"saved\0\0\0\0after");
}

#[test]
fn torn_writes_lose_sectors_and_names_by_the_seed() {
    let mut lengths = std::collections::BTreeSet::new();
    let (mut holes, mut unnamed) = (0, 0);
    for seed in 0..200 {
        let run = || {
            let vfs = MemoryVfs::new();
            write(&vfs, "f", &[1; 100]);
            vfs.sync_dir(Path::new("")).unwrap();
            vfs.open(Path::new("f"))
                .unwrap()
                .append(&[2; 2000])
                .unwrap();
            write(&vfs, "g", b"g");
            vfs.power_loss(Survival::Torn { seed });
            (
                vfs.read(Path::new("f")).unwrap(),
                vfs.read(Path::new("g")).is_ok(),
            )
        };
        let (bytes, named) = run();
        assert_eq!(
            run(),
            (bytes.clone(), named),
            "the same seed, the same loss"
        );
        assert_eq!(bytes[..100], [1; 100], "what was synced stays");
        for sector in bytes.chunks(SECTOR_BYTES as usize) {
            let unsynced: Vec<u8> = sector.iter().copied().filter(|byte| *byte != 1).collect();
            assert!(
                unsynced.windows(2).all(|pair| pair[0] == pair[1]),
                "sectors are whole"
            );
        }
        holes += usize::from(bytes.contains(&0));
        unnamed += usize::from(!named);
        lengths.insert(bytes.len());
    }
    assert!(
        holes > 30 && lengths.len() > 50 && unnamed > 50,
        "{holes} {lengths:?} {unnamed}"
    );
}

#[test]
fn a_limit_on_the_disk_leaves_what_fits() {
    let vfs = MemoryVfs::new();
    write(&vfs, "f", b"12345");
    vfs.set_capacity_bytes(Some(8));
    let mut file = vfs.open(Path::new("f")).unwrap();
    assert_eq!(
        file.append(b"67890").unwrap_err().kind(),
        ErrorKind::StorageFull
    );
    assert_eq!(vfs.read(Path::new("f")).unwrap(), b"12345678");
}
