# Loads a data package of tta with the right types: tables <- load_tta("out/datapackage.json"); tables$records is a data frame.
# Copy it beside your analysis; it needs the package jsonlite. A list, such as program_areas, becomes a list column.

load_tta <- function(description) {
  package <- jsonlite::fromJSON(description, simplifyVector = FALSE)
  tables <- lapply(package$resources, function(one) read_table(file.path(dirname(description), one$path), one$schema$fields))
  setNames(tables, vapply(package$resources, function(one) one$name, ""))
}

read_table <- function(path, fields) {
  frame <- read.csv(path, colClasses = "character", na.strings = "", fileEncoding = "UTF-8-BOM", check.names = FALSE)
  for (field in fields) frame[[field$name]] <- typed(frame[[field$name]], field)
  frame
}

typed <- function(column, field) {
  switch(field$type,
    integer = as.numeric(column), # R's integers end at 2^31
    number = as.numeric(column),
    boolean = ifelse(is.na(column), NA, column == field$trueValues[[1]]),
    array = lapply(column, function(text) if (is.na(text)) NULL else unlist(jsonlite::fromJSON(text))),
    datetime = as.POSIXct(column, format = "%Y-%m-%dT%H:%M:%SZ", tz = "UTC"),
    date = as.Date(column),
    sub("^'(?=[\\s\u200b\ufeff]*[=+@\t\r\n\uff1d\uff0b\uff0d\ufe63\u2212\uff20\ufe6b\ufe62\ufe66-])", "", column, perl = TRUE)
    # the apostrophe before a text that a spreadsheet would run
  )
}
