//! What files are packed with, and object stores.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn archive(members: &[(&str, &str)], method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in members {
        archive.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[tokio::test]
async fn gzip_of_several_parts_is_read_whole_and_gone_on_with_anywhere() {
    let folder = Folder::new();
    let mut text = String::from("id,name\n");
    (0..7_000).for_each(|i| text.push_str(&format!("{i},客{i}\n")));
    let (first, second) = text.split_at(50_000);
    let packed = [gzip(first), gzip(second)].concat();
    folder.write("customers_202510.csv.gz", "2025-11-02T00:00:00Z", &packed);
    let config = json!({ "files": "customers_{yyyymm}.csv.gz", "key": ["id"] });
    let stream = described(&folder.open(config.clone())).await.unwrap();
    let page = folder.open(config.clone()).read_page(&stream, None, true, ReadMode::Incremental).await.unwrap();
    let Next::More(cursor) = &page.next else { panic!() };
    // Another process goes on.
    let second =
        folder.open(config.clone()).read_page(&stream, Some(cursor), true, ReadMode::Incremental).await.unwrap();
    assert_eq!((page.records.len(), second.records.len()), (5_000, 2_000));
    assert_eq!(keys(&second)[0], "5000");
    assert_eq!(second.records.heads()[0].place, "customers_202510.csv.gz:5002");
    // A file that is cut gives an error, not fewer customers.
    folder.write("customers_202510.csv.gz", "2025-11-03T00:00:00Z", &packed[..packed.len() - 20]);
    let error = run(&folder.open(config), None, ReadMode::Incremental).await.unwrap_err();
    assert_eq!((error.kind(), error.help_text()), (ErrorKind::BadData, Some("the file breaks off: export it again")));
}

#[tokio::test]
async fn the_members_of_an_archive_are_what_it_states_together() {
    let folder = Folder::new();
    let members = [
        ("east.csv", "id,name\n1,a\n"),
        ("west.csv", "id,name\n2,b\n"),
        ("readme.txt", "x"),
        ("__MACOSX/._east.csv", "x"),
    ];
    for (method, name) in [(CompressionMethod::Deflated, "e_202510.zip"), (CompressionMethod::Stored, "e_202511.zip")] {
        folder.write(name, "2025-12-02T00:00:00Z", archive(&members, method));
    }
    let config = json!({ "files": "e_{yyyymm}.zip", "members": "*.csv", "key": ["id"] });
    let (pages, _) = run(&folder.open(config.clone()), None, ReadMode::Incremental).await.unwrap();
    assert_eq!(pages.iter().map(|page| keys(page).concat()).collect::<Vec<_>>(), ["1", "2", "1", "2"]);
    assert_eq!(pages.iter().map(|page| page.ends_reading).collect::<Vec<_>>(), [false, true, false, true]);
    assert_eq!(pages[1].records.heads()[0].place, "e_202510.zip:west.csv:2");
    // None that fits: nobody is taken for gone.
    folder.write("e_202511.zip", "2025-12-03T00:00:00Z", archive(&[("a.txt", "x")], CompressionMethod::Stored));
    let error = run(&folder.open(config), None, ReadMode::Incremental).await.unwrap_err();
    assert!(error.render().contains("there are: a.txt"), "{}", error.render());
}

#[tokio::test]
async fn names_in_archives_of_windows_are_read_and_damage_and_passwords_are_told() {
    let folder = Folder::new();
    // The name as Windows writes it in Japan, under a placeholder of the same length.
    let mut bytes = archive(&[("xxxx.csv", "id,name\n1,a\n")], CompressionMethod::Stored);
    let name = encoding_rs::SHIFT_JIS.encode("顧客").0;
    let places: Vec<usize> = memchr::memmem::find_iter(&bytes, b"xxxx.csv").collect();
    for place in places {
        bytes[place..place + 4].copy_from_slice(&name);
    }
    folder.write("e.zip", "2025-12-02T00:00:00Z", &bytes);
    let config = json!({ "files": "e.zip", "members": "顧客.csv", "key": ["id"] });
    let (pages, _) = run(&folder.open(config.clone()), None, ReadMode::Incremental).await.unwrap();
    assert_eq!(pages[0].records.heads()[0].place, "e.zip:顧客.csv:2");

    let mut damaged = bytes.clone();
    let at = memchr::memmem::find(&damaged, b"1,a").unwrap();
    damaged[at + 2] = b'b';
    folder.write("e.zip", "2025-12-03T00:00:00Z", damaged);
    let error = run(&folder.open(config.clone()), None, ReadMode::Incremental).await.unwrap_err();
    assert!(error.render().contains("not what its directory says"), "{}", error.render());

    let mut locked = bytes.clone();
    for (mark, flags) in [(&b"PK\x03\x04"[..], 6), (b"PK\x01\x02", 8)] {
        let at = memchr::memmem::find(&locked, mark).unwrap();
        locked[at + flags] |= 1;
    }
    folder.write("e.zip", "2025-12-04T00:00:00Z", locked);
    let error = run(&folder.open(config.clone()), None, ReadMode::Incremental).await.unwrap_err();
    assert_eq!(error.message(), "a file in the archive has a password");

    folder.write("e.zip", "2025-12-05T00:00:00Z", &bytes[..bytes.len() - 9]);
    let error = run(&folder.open(config), None, ReadMode::Incremental).await.unwrap_err();
    assert_eq!(error.message(), "the file cannot be read as a zip archive");
}

/// A source whose files are in an object store.
fn objects(folder: &Folder, store: &Arc<InMemory>, stream: &Value) -> FileSource {
    let config: FileStreamConfig = serde_json::from_value(stream.clone()).unwrap();
    let store: Arc<dyn ObjectStore> = store.clone();
    let store = Store::Objects { store, prefix: "exports".into(), url: "memory:///exports".to_owned() };
    FileSource::of(folder.args(json!({})), store, vec![Shape::new("customers", &config).unwrap()])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_an_object_store_are_read_and_read_again_when_their_version_changes() {
    let folder = Folder::new();
    let store = Arc::new(InMemory::new());
    let put = async |name: &str, text: &str| {
        store.put(&name.into(), text.to_owned().into()).await.unwrap();
    };
    put("exports/customers_202510.csv", "id,name\n1,a\n").await;
    put("exports/old/customers_202509.csv", "id,name\n1,z\n").await;
    put("exports/customers_202511.csv", "id,name\n1,a\n2,b\n").await;
    put("other/customers_202508.csv", "id,name\n9,x\n").await;
    let source = objects(&folder, &store, &dated());
    let (pages, cursor) = run(&source, None, ReadMode::Incremental).await.unwrap();
    assert_eq!(pages.iter().map(|page| keys(page).concat()).collect::<Vec<_>>(), ["1", "12"]);
    let source = objects(&folder, &store, &dated());
    let (pages, cursor) = run(&source, Some(&cursor), ReadMode::Incremental).await.unwrap();
    assert_eq!((pages.len(), pages[0].reading.clone()), (1, None));
    // Same size; the store's own tag tells.
    put("exports/customers_202510.csv", "id,name\n1,c\n").await;
    let (pages, _) = run(&objects(&folder, &store, &dated()), Some(&cursor), ReadMode::Incremental).await.unwrap();
    assert_eq!((pages.len(), pages[0].records.value(0, 1)), (1, Some("c")));
    assert_eq!(source.others().await.unwrap().streams.len(), 0);
}

#[tokio::test]
async fn a_url_without_its_driver_is_refused_with_advice() {
    let folder = Folder::new();
    let mut config = json!({ "path": "gopher://bucket/exports", "streams": { "customers": dated() } });
    let error = FileSource::open(folder.args(config.clone())).err().unwrap();
    assert_eq!(error.message(), "the URL of the files cannot be used");
    assert!(error.help_text().unwrap().contains("--features"));
    config["path"] = format!("file://{}", folder.dir.path().display()).into();
    folder.write("customers_202510.csv", "2025-11-02T00:00:00Z", "id\n1\n");
    let source = FileSource::open(folder.args(config)).unwrap();
    assert_eq!(run(&source, None, ReadMode::Incremental).await.unwrap().0.len(), 1);
}
