console.log("EVIL");
process.exit(7);
